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

impl From<HttpInbound> for abi::HttpInbound {
    fn from(http: HttpInbound) -> Self {
        let HttpInbound {
            verb,
            url,
            status,
            headers,
            data,
        } = http;
        Self {
            verb,
            url,
            status,
            headers,
            data,
        }
    }
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
                will: it.will.map(|will| MqttWill {
                    topic: will.topic,
                    payload: will.payload,
                    qos: will.qos,
                    retain: will.retain,
                }),
                username: it.username,
                password: it.password,
            }),
            abi::MqttPacket::Connack((session_present, code)) => Self::Connack(MqttConnack {
                session_present,
                code,
            }),
            abi::MqttPacket::Publish(it) => Self::Publish(MqttPublish {
                duplicate: it.duplicate,
                qos: it.qos,
                retain: it.retain,
                topic: it.topic,
                packet_identifier: it.packet_identifier,
                payload: it.payload,
            }),
            abi::MqttPacket::Puback(id) => Self::Puback(id),
            abi::MqttPacket::Pubrec(id) => Self::Pubrec(id),
            abi::MqttPacket::Pubrel(id) => Self::Pubrel(id),
            abi::MqttPacket::Pubcomp(id) => Self::Pubcomp(id),
            abi::MqttPacket::Subscribe(it) => Self::Subscribe(MqttSubscribe {
                packet_identifier: it.packet_identifier,
                topics: it.topics,
            }),
            abi::MqttPacket::Suback((packet_identifier, codes)) => Self::Suback(MqttSuback {
                packet_identifier,
                codes,
            }),
            abi::MqttPacket::Unsubscribe(it) => Self::Unsubscribe(MqttUnsubscribe {
                packet_identifier: it.packet_identifier,
                topics: it.topics,
            }),
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
                will: it.will.map(|will| abi::MqttWill {
                    topic: will.topic,
                    payload: will.payload,
                    qos: will.qos,
                    retain: will.retain,
                }),
                username: it.username,
                password: it.password,
            }),
            MqttPacket::Connack(it) => Self::Connack((it.session_present, it.code)),
            MqttPacket::Publish(it) => Self::Publish(abi::MqttPublish {
                duplicate: it.duplicate,
                qos: it.qos,
                retain: it.retain,
                topic: it.topic,
                packet_identifier: it.packet_identifier,
                payload: it.payload,
            }),
            MqttPacket::Puback(id) => Self::Puback(id),
            MqttPacket::Pubrec(id) => Self::Pubrec(id),
            MqttPacket::Pubrel(id) => Self::Pubrel(id),
            MqttPacket::Pubcomp(id) => Self::Pubcomp(id),
            MqttPacket::Subscribe(it) => Self::Subscribe(abi::MqttSubscribe {
                packet_identifier: it.packet_identifier,
                topics: it.topics,
            }),
            MqttPacket::Suback(it) => Self::Suback((it.packet_identifier, it.codes)),
            MqttPacket::Unsubscribe(it) => Self::Unsubscribe(abi::MqttUnsubscribe {
                packet_identifier: it.packet_identifier,
                topics: it.topics,
            }),
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

impl From<IcmpHeaders> for abi::IcmpHeaders {
    fn from(headers: IcmpHeaders) -> Self {
        Self {
            source: headers.source,
            destination: headers.destination,
            version: headers.version,
            protocol: headers.protocol,
            type_of_service: headers.type_of_service,
            header_length: headers.header_length,
            total_length: headers.total_length,
            identification: headers.identification,
            header_checksum: headers.header_checksum,
            time_to_live: headers.time_to_live,
            icmp_type: headers.icmp_type,
            code: headers.code,
            checksum: headers.checksum,
            identifier: headers.identifier,
            sequence_number: headers.sequence_number,
        }
    }
}
