//! The packets of MQTT 3.1.1 as plugins see them, in both directions.

/// One packet (`mqtt-packet` of the contract).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MqttPacket {
    /// A client introduces itself.
    Connect(MqttConnect),
    /// The answer of a server.
    Connack(MqttConnack),
    /// A message.
    Publish(MqttPublish),
    /// QoS 1: it arrived.
    Puback(u16),
    /// QoS 2: it arrived.
    Pubrec(u16),
    /// QoS 2: it may be forgotten.
    Pubrel(u16),
    /// QoS 2: it was forgotten.
    Pubcomp(u16),
    /// What a client wants to get.
    Subscribe(MqttSubscribe),
    /// The answer: one code per topic.
    Suback(MqttSuback),
    /// What it no longer wants.
    Unsubscribe(MqttUnsubscribe),
    /// The answer.
    Unsuback(u16),
    /// Are you there?
    Pingreq,
    /// Yes.
    Pingresp,
    /// Goodbye.
    Disconnect,
}

/// `CONNECT`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttConnect {
    /// Name of the client; may be empty.
    pub client_id: String,
    /// Whether the server forgets what it knew of the client.
    pub clean_session: bool,
    /// Seconds after which silence means that the client is gone.
    pub keep_alive: u16,
    /// What the server publishes when the client is gone.
    pub will: Option<MqttWill>,
    /// Received only: what is sent are the hardware's parameters.
    pub username: Option<String>,
    /// Received only.
    pub password: Option<String>,
}

/// The will in a `CONNECT`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttWill {
    /// Its topic.
    pub topic: String,
    /// Its message.
    pub payload: Vec<u8>,
    /// Its quality of service.
    pub qos: u8,
    /// Whether the server keeps it.
    pub retain: bool,
}

/// `CONNACK`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MqttConnack {
    /// Whether the server still knows the client.
    pub session_present: bool,
    /// 0 or the reason of a refusal.
    pub code: u8,
}

/// `PUBLISH`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttPublish {
    /// Whether it was sent before.
    pub duplicate: bool,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// Whether the server keeps it.
    pub retain: bool,
    /// Its topic.
    pub topic: String,
    /// None: the codec counts, and with QoS 0 there is none.
    pub packet_identifier: Option<u16>,
    /// The message.
    pub payload: Vec<u8>,
}

/// `SUBSCRIBE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttSubscribe {
    /// None: the codec counts.
    pub packet_identifier: Option<u16>,
    /// Filters, each with the best quality of service that is wanted.
    pub topics: Vec<(String, u8)>,
}

/// `SUBACK`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttSuback {
    /// Of the `SUBSCRIBE`.
    pub packet_identifier: u16,
    /// One per filter: the quality of service, or 128 for a refusal.
    pub codes: Vec<u8>,
}

/// `UNSUBSCRIBE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttUnsubscribe {
    /// None: the codec counts.
    pub packet_identifier: Option<u16>,
    /// Filters.
    pub topics: Vec<String>,
}

impl MqttPacket {
    /// Bytes of the host's memory that the packet holds, about: empty topics cost
    /// too, and there may be many.
    #[must_use]
    pub fn size(&self) -> usize {
        let held = match self {
            Self::Connect(connect) => {
                let will = connect.will.as_ref().map_or(0, |will| {
                    will.topic.len().saturating_add(will.payload.len())
                });
                let texts = [&connect.username, &connect.password];
                let texts: usize = texts.into_iter().flatten().map(String::len).sum();
                connect
                    .client_id
                    .len()
                    .saturating_add(will)
                    .saturating_add(texts)
            }
            Self::Publish(publish) => publish.topic.len().saturating_add(publish.payload.len()),
            Self::Subscribe(subscribe) => subscribe
                .topics
                .iter()
                .map(|(topic, _)| size_of::<(String, u8)>().saturating_add(topic.len()))
                .sum(),
            Self::Unsubscribe(unsubscribe) => unsubscribe
                .topics
                .iter()
                .map(|topic| size_of::<String>().saturating_add(topic.len()))
                .sum(),
            Self::Suback(suback) => suback.codes.len(),
            _ => 0,
        };
        size_of::<Self>().saturating_add(held)
    }
}
