//! Translates messages of connections between the contract's types and the codecs'.

use crate::abi::cordon::plugin::connections as abi;
use cordon_protocol::{
    Header, HttpInbound, HttpOutbound, IcmpHeaders, IcmpInbound, Inbound, MqttConnack, MqttConnect,
    MqttPacket, MqttPublish, MqttSuback, MqttSubscribe, MqttUnsubscribe, MqttWill, Opcode,
    Outbound, WebSocketInbound, WebSocketOutbound,
};

impl From<abi::Outbound> for Outbound {
    fn from(message: abi::Outbound) -> Self {
        match message {
            abi::Outbound::Bytes(bytes) => Self::Bytes(bytes),
            abi::Outbound::Http(http) => Self::Http(http.into()),
            abi::Outbound::Websocket(frame) => Self::WebSocket(WebSocketOutbound {
                opcode: frame.opcode.into(),
                mask: frame.mask,
                payload: frame.payload,
            }),
            abi::Outbound::Mqtt(packet) => Self::Mqtt(Box::new(packet.into())),
        }
    }
}

impl From<abi::HttpOutbound> for HttpOutbound {
    fn from(http: abi::HttpOutbound) -> Self {
        let headers = http.headers.into_iter().map(|header| Header {
            name: header.name,
            values: header.values,
        });
        Self {
            verb: http.verb,
            url: http.url,
            status: http.status,
            headers: headers.collect(),
            data: http.data,
            chunk: http.chunk,
        }
    }
}

impl From<Inbound> for abi::Inbound {
    fn from(message: Inbound) -> Self {
        match message {
            Inbound::Bytes(bytes) => Self::Bytes(bytes),
            Inbound::Json(text) => Self::Json(text),
            Inbound::Http(http) => Self::Http(http.into()),
            Inbound::WebSocket(frame) => Self::Websocket(frame.into()),
            Inbound::Mqtt(packet) => Self::Mqtt((*packet).into()),
            Inbound::Icmp(answer) => Self::Icmp((*answer).into()),
        }
    }
}

/// Translates a record, whose fields have the same names on both sides.
macro_rules! record {
    ($from:ty, $into:ty { $($field:ident),+ $(,)? }) => {
        impl From<$from> for $into {
            fn from(it: $from) -> Self {
                Self { $($field: it.$field),+ }
            }
        }
    };
}

/// As [`record`], in both directions.
macro_rules! records {
    ($($ours:ident { $($field:ident),+ $(,)? })+) => {
        $(
            record!(abi::$ours, $ours { $($field),+ });
            record!($ours, abi::$ours { $($field),+ });
        )+
    };
}

record!(
    HttpInbound,
    abi::HttpInbound {
        verb,
        url,
        status,
        headers,
        data
    }
);

record!(
    IcmpHeaders,
    abi::IcmpHeaders {
        source,
        destination,
        version,
        protocol,
        type_of_service,
        header_length,
        total_length,
        identification,
        header_checksum,
        time_to_live,
        icmp_type,
        code,
        checksum,
        identifier,
        sequence_number,
    }
);

records! {
    MqttWill { topic, payload, qos, retain }
    MqttPublish { duplicate, qos, retain, topic, packet_identifier, payload }
    MqttSubscribe { packet_identifier, topics }
    MqttUnsubscribe { packet_identifier, topics }
}

impl From<WebSocketInbound> for abi::WebsocketInbound {
    fn from(frame: WebSocketInbound) -> Self {
        Self {
            opcode: frame.opcode.into(),
            finish: frame.finish,
            mask: frame.mask,
            payload: frame.payload,
        }
    }
}

impl From<abi::WebsocketOpcode> for Opcode {
    fn from(opcode: abi::WebsocketOpcode) -> Self {
        match opcode {
            abi::WebsocketOpcode::Continuation => Self::Continuation,
            abi::WebsocketOpcode::Text => Self::Text,
            abi::WebsocketOpcode::Binary => Self::Binary,
            abi::WebsocketOpcode::Close => Self::Close,
            abi::WebsocketOpcode::Ping => Self::Ping,
            abi::WebsocketOpcode::Pong => Self::Pong,
            abi::WebsocketOpcode::Other => Self::Other,
        }
    }
}

impl From<Opcode> for abi::WebsocketOpcode {
    fn from(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Continuation => Self::Continuation,
            Opcode::Text => Self::Text,
            Opcode::Binary => Self::Binary,
            Opcode::Close => Self::Close,
            Opcode::Ping => Self::Ping,
            Opcode::Pong => Self::Pong,
            Opcode::Other => Self::Other,
        }
    }
}

impl From<abi::MqttPacket> for MqttPacket {
    fn from(packet: abi::MqttPacket) -> Self {
        match packet {
            abi::MqttPacket::Connect(it) => Self::Connect(MqttConnect {
                client_id: it.client_id,
                clean_session: it.clean_session,
                keep_alive: it.keep_alive,
                will: it.will.map(Into::into),
                username: it.username,
                password: it.password,
            }),
            abi::MqttPacket::Connack((session_present, code)) => Self::Connack(MqttConnack {
                session_present,
                code,
            }),
            abi::MqttPacket::Publish(it) => Self::Publish(it.into()),
            abi::MqttPacket::Puback(id) => Self::Puback(id),
            abi::MqttPacket::Pubrec(id) => Self::Pubrec(id),
            abi::MqttPacket::Pubrel(id) => Self::Pubrel(id),
            abi::MqttPacket::Pubcomp(id) => Self::Pubcomp(id),
            abi::MqttPacket::Subscribe(it) => Self::Subscribe(it.into()),
            abi::MqttPacket::Suback((packet_identifier, codes)) => Self::Suback(MqttSuback {
                packet_identifier,
                codes,
            }),
            abi::MqttPacket::Unsubscribe(it) => Self::Unsubscribe(it.into()),
            abi::MqttPacket::Unsuback(id) => Self::Unsuback(id),
            abi::MqttPacket::Pingreq => Self::Pingreq,
            abi::MqttPacket::Pingresp => Self::Pingresp,
            abi::MqttPacket::Disconnect => Self::Disconnect,
        }
    }
}

impl From<MqttPacket> for abi::MqttPacket {
    fn from(packet: MqttPacket) -> Self {
        match packet {
            MqttPacket::Connect(it) => Self::Connect(abi::MqttConnect {
                client_id: it.client_id,
                clean_session: it.clean_session,
                keep_alive: it.keep_alive,
                will: it.will.map(Into::into),
                username: it.username,
                password: it.password,
            }),
            MqttPacket::Connack(it) => Self::Connack((it.session_present, it.code)),
            MqttPacket::Publish(it) => Self::Publish(it.into()),
            MqttPacket::Puback(id) => Self::Puback(id),
            MqttPacket::Pubrec(id) => Self::Pubrec(id),
            MqttPacket::Pubrel(id) => Self::Pubrel(id),
            MqttPacket::Pubcomp(id) => Self::Pubcomp(id),
            MqttPacket::Subscribe(it) => Self::Subscribe(it.into()),
            MqttPacket::Suback(it) => Self::Suback((it.packet_identifier, it.codes)),
            MqttPacket::Unsubscribe(it) => Self::Unsubscribe(it.into()),
            MqttPacket::Unsuback(id) => Self::Unsuback(id),
            MqttPacket::Pingreq => Self::Pingreq,
            MqttPacket::Pingresp => Self::Pingresp,
            MqttPacket::Disconnect => Self::Disconnect,
        }
    }
}

impl From<IcmpInbound> for abi::IcmpInbound {
    fn from(answer: IcmpInbound) -> Self {
        Self {
            status: answer.status,
            elapsed_ms: answer.elapsed_ms,
            headers: answer.headers.map(abi::IcmpHeaders::from),
            data: answer.data,
        }
    }
}
