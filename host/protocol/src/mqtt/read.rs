//! One complete MQTT packet from bytes.

use bytes::Bytes;
use rumqttc::mqttbytes::v4::{
    Connect, PubAck, PubComp, PubRec, PubRel, Publish, Subscribe, UnsubAck, Unsubscribe,
};
use rumqttc::mqttbytes::{Error, FixedHeader, PacketType, Protocol};

use super::super::CodecError;
use super::packet::{
    MqttConnack, MqttConnect, MqttPacket, MqttPublish, MqttSuback, MqttSubscribe, MqttUnsubscribe,
    MqttWill,
};

/// Most topics, or codes for topics, of one packet: each becomes an object of the
/// plugin, many times as large as the byte that it may be on the wire.
const TOPICS: usize = 1024;

/// Parses a frame, fixed header included.
///
/// # Errors
///
/// Whatever is no packet of MQTT 3.1.1, wrong flags and lengths included.
pub(super) fn packet(header: FixedHeader, frame: Bytes) -> Result<MqttPacket, CodecError> {
    parse(header, frame).map_err(|error| super::malformed(&error))
}

fn parse(header: FixedHeader, frame: Bytes) -> Result<MqttPacket, Error> {
    let kind = header.packet_type()?;
    let first = frame.first().copied().unwrap_or_default();
    let flags = match kind {
        PacketType::Publish => first & 0x0f,
        PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => 2,
        _ => 0,
    };
    if first & 0x0f != flags {
        return Err(Error::IncorrectPacketFormat);
    }
    let body = frame.slice(frame.len().min(body_start(&frame))..);
    let length = match kind {
        PacketType::PubAck
        | PacketType::PubRec
        | PacketType::PubRel
        | PacketType::PubComp
        | PacketType::UnsubAck
        | PacketType::ConnAck => 2,
        PacketType::PingReq | PacketType::PingResp | PacketType::Disconnect => 0,
        _ => body.len(),
    };
    if body.len() != length {
        return Err(Error::PayloadSizeIncorrect);
    }
    let packet = match kind {
        PacketType::Connect => MqttPacket::Connect(connect(header, frame)?),
        PacketType::ConnAck => connack(&body)?,
        PacketType::Publish => MqttPacket::Publish(publish(header, frame)?),
        PacketType::PubAck => MqttPacket::Puback(PubAck::read(header, frame)?.pkid),
        PacketType::PubRec => MqttPacket::Pubrec(PubRec::read(header, frame)?.pkid),
        PacketType::PubRel => MqttPacket::Pubrel(PubRel::read(header, frame)?.pkid),
        PacketType::PubComp => MqttPacket::Pubcomp(PubComp::read(header, frame)?.pkid),
        PacketType::Subscribe => MqttPacket::Subscribe(subscribe(header, frame)?),
        PacketType::SubAck => suback(&body)?,
        PacketType::Unsubscribe => {
            let Unsubscribe { pkid, topics } = Unsubscribe::read(header, frame)?;
            MqttPacket::Unsubscribe(MqttUnsubscribe {
                packet_identifier: Some(pkid),
                topics,
            })
        }
        PacketType::UnsubAck => MqttPacket::Unsuback(UnsubAck::read(header, frame)?.pkid),
        PacketType::PingReq => MqttPacket::Pingreq,
        PacketType::PingResp => MqttPacket::Pingresp,
        PacketType::Disconnect => MqttPacket::Disconnect,
    };
    let topics = match &packet {
        MqttPacket::Subscribe(it) => it.topics.len(),
        MqttPacket::Unsubscribe(it) => it.topics.len(),
        MqttPacket::Suback(it) => it.codes.len(),
        _ => 0,
    };
    if topics > TOPICS {
        return Err(Error::PayloadSizeLimitExceeded(topics));
    }
    Ok(packet)
}

/// Bytes of the fixed header: the type and one to four of the length.
fn body_start(frame: &[u8]) -> usize {
    let length = frame.iter().skip(1).take(4);
    let more = length.take_while(|&&byte| byte & 0x80 != 0).count();
    more.saturating_add(2)
}

fn connect(header: FixedHeader, frame: Bytes) -> Result<MqttConnect, Error> {
    let connect = Connect::read(header, frame)?;
    if connect.protocol != Protocol::V4 {
        return Err(Error::InvalidProtocolLevel(5));
    }
    let login = connect.login;
    let given = |text: String| (!text.is_empty()).then_some(text);
    Ok(MqttConnect {
        client_id: connect.client_id,
        clean_session: connect.clean_session,
        keep_alive: connect.keep_alive,
        will: connect.last_will.map(|will| MqttWill {
            topic: will.topic,
            payload: will.message.to_vec(),
            qos: will.qos as u8,
            retain: will.retain,
        }),
        username: login.as_ref().and_then(|it| given(it.username.clone())),
        password: login.and_then(|it| given(it.password)),
    })
}

/// Not rumqttc's: the plugin is told any code (spec 7.8).
fn connack(body: &[u8]) -> Result<MqttPacket, Error> {
    match *body {
        [session, code] if session <= 1 => Ok(MqttPacket::Connack(MqttConnack {
            session_present: session == 1,
            code,
        })),
        _ => Err(Error::MalformedPacket),
    }
}

fn publish(header: FixedHeader, frame: Bytes) -> Result<MqttPublish, Error> {
    let publish = Publish::read(header, frame)?;
    let qos = publish.qos as u8;
    Ok(MqttPublish {
        duplicate: publish.dup,
        qos,
        retain: publish.retain,
        topic: publish.topic,
        packet_identifier: (qos > 0).then_some(publish.pkid),
        payload: publish.payload.to_vec(),
    })
}

fn subscribe(header: FixedHeader, frame: Bytes) -> Result<MqttSubscribe, Error> {
    let Subscribe { pkid, filters } = Subscribe::read(header, frame)?;
    let topics = filters
        .into_iter()
        .map(|filter| (filter.path, filter.qos as u8));
    Ok(MqttSubscribe {
        packet_identifier: Some(pkid),
        topics: topics.collect(),
    })
}

/// Not rumqttc's, for the same reason.
fn suback(body: &[u8]) -> Result<MqttPacket, Error> {
    let (identifier, codes) = body.split_first_chunk().ok_or(Error::MalformedPacket)?;
    Ok(MqttPacket::Suback(MqttSuback {
        packet_identifier: u16::from_be_bytes(*identifier),
        codes: codes.to_vec(),
    }))
}
