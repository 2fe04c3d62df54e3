//! One MQTT packet as bytes.

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::v4::{
    Connect, LastWill, Login, Packet, PubAck, PubComp, PubRec, PubRel, Publish, Subscribe,
    SubscribeFilter, UnsubAck, Unsubscribe,
};
use rumqttc::mqttbytes::{Protocol, QoS, qos};

use super::super::Credentials;
use super::packet::{MqttConnect, MqttPacket, MqttPublish, MqttSuback};

/// Longest text of the format: its length has two bytes.
const LONGEST: usize = 65_535;

/// Encodes a packet; `next` gives identifiers where the plugin left them out.
///
/// # Errors
///
/// The text for the plugin's log.
pub(super) fn packet(
    packet: &MqttPacket,
    credentials: &Credentials,
    next: &mut dyn FnMut() -> u16,
) -> Result<Vec<u8>, String> {
    let packet = match packet {
        MqttPacket::Connect(it) => Packet::Connect(connect(it, credentials)?),
        MqttPacket::Connack(it) => {
            return Ok(vec![0x20, 2, u8::from(it.session_present), it.code]);
        }
        MqttPacket::Publish(it) => Packet::Publish(publish(it, next)?),
        MqttPacket::Puback(id) => Packet::PubAck(PubAck::new(*id)),
        MqttPacket::Pubrec(id) => Packet::PubRec(PubRec::new(*id)),
        MqttPacket::Pubrel(id) => Packet::PubRel(PubRel::new(*id)),
        MqttPacket::Pubcomp(id) => Packet::PubComp(PubComp::new(*id)),
        MqttPacket::Subscribe(it) => {
            let filters: Result<Vec<_>, String> = it
                .topics
                .iter()
                .map(|(topic, qos)| Ok(SubscribeFilter::new(text(topic)?, quality(*qos)?)))
                .collect();
            let mut subscribe = Subscribe::new_many(filters?);
            if subscribe.filters.is_empty() {
                return Err("a SUBSCRIBE needs a topic".to_owned());
            }
            subscribe.pkid = it.packet_identifier.unwrap_or_else(next);
            Packet::Subscribe(subscribe)
        }
        MqttPacket::Suback(it) => return suback(it),
        MqttPacket::Unsubscribe(it) => {
            let topics: Result<Vec<_>, String> = it.topics.iter().map(|it| text(it)).collect();
            let topics = topics?;
            if topics.is_empty() {
                return Err("an UNSUBSCRIBE needs a topic".to_owned());
            }
            let pkid = it.packet_identifier.unwrap_or_else(next);
            Packet::Unsubscribe(Unsubscribe { pkid, topics })
        }
        MqttPacket::Unsuback(pkid) => Packet::UnsubAck(UnsubAck { pkid: *pkid }),
        MqttPacket::Pingreq => Packet::PingReq,
        MqttPacket::Pingresp => Packet::PingResp,
        MqttPacket::Disconnect => Packet::Disconnect,
    };
    let mut bytes = BytesMut::new();
    let written = packet.write(&mut bytes, usize::MAX);
    written.map_err(|error| format!("no MQTT packet can be made of it: {error}"))?;
    Ok(bytes.to_vec())
}

/// User name and password are the hardware's; the password may come alone.
fn connect(it: &MqttConnect, credentials: &Credentials) -> Result<Connect, String> {
    let Credentials { username, password } = credentials;
    let known = !username.is_empty() || !password.is_empty();
    let will = match &it.will {
        Some(will) => {
            if will.payload.len() > LONGEST {
                return Err(too_long("WillPayload"));
            }
            Some(LastWill {
                topic: text(&will.topic)?,
                message: Bytes::from(will.payload.clone()),
                qos: quality(will.qos)?,
                retain: will.retain,
            })
        }
        None => None,
    };
    let login = match known {
        true => Some(Login::new(text(username)?, text(password)?)),
        false => None,
    };
    Ok(Connect {
        protocol: Protocol::V4,
        keep_alive: it.keep_alive,
        client_id: text(&it.client_id)?,
        clean_session: it.clean_session,
        last_will: will,
        login,
    })
}

fn publish(it: &MqttPublish, next: &mut dyn FnMut() -> u16) -> Result<Publish, String> {
    let qos = quality(it.qos)?;
    Ok(Publish {
        dup: it.duplicate,
        qos,
        retain: it.retain,
        topic: text(&it.topic)?,
        pkid: match qos {
            QoS::AtMostOnce => 0,
            _ => it.packet_identifier.unwrap_or_else(next),
        },
        payload: Bytes::from(it.payload.clone()),
    })
}

/// Not rumqttc's: any code can be sent.
fn suback(it: &MqttSuback) -> Result<Vec<u8>, String> {
    let length = it.codes.len().saturating_add(2);
    // More would need a second byte for the length; nobody subscribes to as many.
    let length = u8::try_from(length)
        .ok()
        .filter(|&length| length < 128)
        .ok_or_else(|| "a SUBACK has 125 codes at most".to_owned())?;
    let mut bytes = vec![0x90, length];
    bytes.extend(it.packet_identifier.to_be_bytes());
    bytes.extend(&it.codes);
    Ok(bytes)
}

fn quality(number: u8) -> Result<QoS, String> {
    qos(number).map_err(|_| format!("QoS is 0, 1 or 2, not {number}"))
}

fn text(text: &str) -> Result<String, String> {
    if text.len() > LONGEST {
        return Err(too_long("a text"));
    }
    Ok(text.to_owned())
}

fn too_long(what: &str) -> String {
    format!("{what} of an MQTT packet has {LONGEST} bytes at most")
}
