//! Section 7.8: MQTT.

use proptest::prelude::*;

use super::*;

fn packets(reads: &[&[u8]]) -> Vec<MqttPacket> {
    let (before, after) = run("MQTT", reads);
    assert!(after.is_empty(), "{after:?}");
    before.into_iter().map(packet).collect()
}

fn packet(message: Inbound) -> MqttPacket {
    match message {
        Inbound::Mqtt(packet) => *packet,
        other => panic!("no packet: {other:?}"),
    }
}

fn write(packet: MqttPacket) -> Vec<u8> {
    written(&mut Codec::new("MQTT", BOUND), packet).unwrap()
}

fn written(codec: &mut Codec, packet: MqttPacket) -> Result<Vec<u8>, String> {
    codec.encode(
        &Outbound::Mqtt(Box::new(packet)),
        &Credentials::default(),
        PRODUCT,
    )
}

fn connect() -> MqttConnect {
    MqttConnect {
        client_id: "ClientId".to_owned(),
        clean_session: true,
        keep_alive: 60,
        ..Default::default()
    }
}

fn publish(topic: &str, payload: &[u8]) -> MqttPublish {
    MqttPublish {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        ..Default::default()
    }
}

#[test]
fn mqtt_connect_rule_139() {
    let bytes = write(MqttPacket::Connect(connect()));
    assert_eq!(
        bytes,
        b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08ClientId"
    );
}

#[test]
fn mqtt_connect_has_the_credentials_of_the_hardware_rule_140() {
    let message = Outbound::Mqtt(Box::new(MqttPacket::Connect(connect())));
    let encode = |username: &str, password: &str| {
        let credentials = Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        };
        Codec::new("MQTT", BOUND)
            .encode(&message, &credentials, PRODUCT)
            .unwrap()
    };
    let bytes = encode("u", "p");
    assert_eq!(bytes[9], 0xc2);
    assert!(bytes.ends_with(b"\x00\x01u\x00\x01p"));
    let alone = encode("", "p");
    assert_eq!(alone[9], 0x42);
    assert!(alone.ends_with(b"\x00\x08ClientId\x00\x01p"));
}

#[test]
fn mqtt_connect_with_a_will() {
    let will = MqttWill {
        topic: "w".to_owned(),
        payload: vec![0, 255],
        qos: 1,
        retain: true,
    };
    let connect = MqttConnect {
        will: Some(will),
        ..connect()
    };
    let bytes = write(MqttPacket::Connect(connect.clone()));
    assert_eq!(bytes[9], 0x2e);
    assert!(bytes.ends_with(b"\x00\x08ClientId\x00\x01w\x00\x02\x00\xff"));
    assert_eq!(packets(&[&bytes]), [MqttPacket::Connect(connect)]);
}

#[test]
fn mqtt_subscribe_rule_141() {
    let topics = vec![("a/b".to_owned(), 1), ("c".to_owned(), 0)];
    let bytes = write(MqttPacket::Subscribe(MqttSubscribe {
        packet_identifier: None,
        topics,
    }));
    assert_eq!(bytes, b"\x82\x0c\x00\x01\x00\x03a/b\x01\x00\x01c\x00");
}

#[test]
fn mqtt_publish_rules_142_143() {
    assert_eq!(
        write(MqttPacket::Publish(publish("t", b"hi"))),
        b"0\x05\x00\x01thi"
    );
    let bytes = write(MqttPacket::Publish(MqttPublish {
        qos: 1,
        retain: true,
        duplicate: true,
        ..publish("t", b"\x00\xff")
    }));
    assert_eq!(bytes, b"\x3b\x07\x00\x01t\x00\x01\x00\xff");
}

#[test]
fn mqtt_identifiers_are_counted_together_and_never_zero() {
    let mut codec = Codec::new("MQTT", BOUND);
    for n in 1..=65_536_u32 {
        let packet = match n % 3 {
            0 => MqttPacket::Publish(MqttPublish {
                qos: 2,
                ..publish("t", b"")
            }),
            1 => MqttPacket::Subscribe(MqttSubscribe {
                topics: vec![("t".to_owned(), 0)],
                ..Default::default()
            }),
            _ => MqttPacket::Unsubscribe(MqttUnsubscribe {
                topics: vec!["t".to_owned()],
                ..Default::default()
            }),
        };
        let at = if n % 3 == 0 { 5 } else { 2 };
        let bytes = written(&mut codec, packet).unwrap();
        let expected = u16::try_from(n).unwrap_or(1);
        assert_eq!(u16::from_be_bytes([bytes[at], bytes[at + 1]]), expected);
    }
}

#[test]
fn mqtt_small_packets_rule_144() {
    assert_eq!(write(MqttPacket::Pingreq), b"\xc0\x00");
    assert_eq!(write(MqttPacket::Pingresp), b"\xd0\x00");
    assert_eq!(write(MqttPacket::Disconnect), b"\xe0\x00");
    assert_eq!(write(MqttPacket::Puback(0x0102)), b"\x40\x02\x01\x02");
    assert_eq!(write(MqttPacket::Pubrec(1)), b"\x50\x02\x00\x01");
    assert_eq!(write(MqttPacket::Pubrel(1)), b"\x62\x02\x00\x01");
    assert_eq!(write(MqttPacket::Pubcomp(1)), b"\x70\x02\x00\x01");
    assert_eq!(write(MqttPacket::Unsuback(1)), b"\xb0\x02\x00\x01");
    let connack = MqttConnack {
        session_present: true,
        code: 9,
    };
    assert_eq!(write(MqttPacket::Connack(connack)), b"\x20\x02\x01\x09");
    let suback = MqttSuback {
        packet_identifier: 5,
        codes: vec![1, 128],
    };
    assert_eq!(
        write(MqttPacket::Suback(suback)),
        b"\x90\x04\x00\x05\x01\x80"
    );
}

#[test]
fn mqtt_what_fits_no_packet_is_refused() {
    let mut codec = Codec::new("MQTT", BOUND);
    let long = "x".repeat(65_536);
    let wrong = [
        MqttPacket::Publish(publish(&long, b"")),
        MqttPacket::Publish(MqttPublish {
            qos: 3,
            ..publish("t", b"")
        }),
        MqttPacket::Publish(MqttPublish {
            qos: 1,
            packet_identifier: Some(0),
            ..publish("t", b"")
        }),
        MqttPacket::Subscribe(MqttSubscribe::default()),
        MqttPacket::Unsubscribe(MqttUnsubscribe::default()),
        MqttPacket::Connect(MqttConnect {
            will: Some(MqttWill {
                payload: vec![0; 65_536],
                ..Default::default()
            }),
            ..connect()
        }),
        MqttPacket::Suback(MqttSuback {
            packet_identifier: 1,
            codes: vec![0; 126],
        }),
    ];
    for packet in wrong {
        written(&mut codec, packet).unwrap_err();
    }
}

#[test]
fn mqtt_connack_has_any_code_rule_145() {
    for (byte, session_present) in [(0, false), (1, true)] {
        let expected = MqttConnack {
            session_present,
            code: 5,
        };
        assert_eq!(
            packets(&[&[0x20, 2, byte, 5]]),
            [MqttPacket::Connack(expected)]
        );
    }
}

#[test]
fn mqtt_publish_is_read_as_in_rules_146_147() {
    let got = packets(&[b"0\x08\x00\x03a/bpay1\x05\x00", b"\x03a/b"]);
    let first = publish("a/b", b"pay");
    let second = MqttPublish {
        retain: true,
        ..publish("a/b", b"")
    };
    assert_eq!(
        got,
        [MqttPacket::Publish(first), MqttPacket::Publish(second)]
    );
    let got = packets(&[b"\x3d\x06\x00\x01t\x00\x09x"]);
    let third = MqttPublish {
        duplicate: true,
        qos: 2,
        retain: true,
        packet_identifier: Some(9),
        ..publish("t", b"x")
    };
    assert_eq!(got, [MqttPacket::Publish(third)]);
}

#[test]
fn mqtt_suback_has_a_code_per_topic_rule_148() {
    let expected = MqttSuback {
        packet_identifier: 7,
        codes: vec![0, 1, 2, 128, 3],
    };
    let got = packets(&[b"\x90\x07\x00\x07\x00\x01\x02\x80\x03"]);
    assert_eq!(got, [MqttPacket::Suback(expected)]);
}

#[test]
fn mqtt_pubrel_is_delivered_rule_149() {
    assert_eq!(packets(&[b"\x62\x02\x00\x01"]), [MqttPacket::Pubrel(1)]);
}

#[test]
fn mqtt_packets_of_two_megabytes() {
    let payload = vec![9; 2_500_000];
    let bytes = write(MqttPacket::Publish(publish("t", &payload)));
    let mut codec = Codec::new("MQTT", 4 << 20);
    let mut out = Decoded::default();
    for piece in bytes.chunks(4096) {
        codec.feed(piece, &mut out).unwrap();
    }
    assert_eq!(
        packet(out.messages.remove(0)),
        MqttPacket::Publish(publish("t", &payload))
    );
}

#[test]
fn mqtt_that_is_none_is_malformed() {
    let wrong: [&[u8]; 13] = [
        b"\x00\x00",
        b"\xf0\x00",
        b"\x60\x02\x00\x01",
        b"\x41\x02\x00\x01",
        b"\x40\x03\x00\x01\x00",
        b"\xc0\x01\x00",
        b"\x30\x02\x00\x05",
        b"\x36\x05\x00\x01t\x00\x01",
        b"\x32\x05\x00\x01t\x00\x00",
        b"\x30\x04\x00\x02\xff\xff",
        b"\x20\x02\x02\x00",
        b"\x10\x0c\x00\x04MQTT\x05\x02\x00\x3c\x00\x00",
        b"\x30\xff\xff\xff\xff\x01",
    ];
    for bytes in wrong {
        let error = feed_error("MQTT", BOUND, bytes);
        assert!(
            matches!(error, CodecError::Malformed(_)),
            "{bytes:?}: {error}"
        );
    }
}

#[test]
fn mqtt_stops_at_its_bound_and_gives_what_is_left() {
    assert_eq!(limit_used(feed_error("MQTT", 10, b"\x30\x0b")), 11);
    assert_eq!(
        run("MQTT", &[b"\x30\x05\x00"]).1,
        bytes(&["\u{30}\u{5}\u{0}"])
    );
}

#[test]
fn mqtt_packets_with_more_topics_than_anybody_has_are_malformed() {
    let suback = |codes: usize| {
        let length = codes + 2;
        let mut bytes = vec![
            0x90,
            (length % 128) as u8 | 0x80,
            (length / 128) as u8,
            0,
            1,
        ];
        bytes.resize(bytes.len() + codes, 0);
        bytes
    };
    assert!(
        matches!(&packets(&[&suback(1024)])[..], [MqttPacket::Suback(it)] if it.codes.len() == 1024)
    );
    let error = feed_error("MQTT", BOUND, &suback(1025));
    assert!(matches!(error, CodecError::Malformed(_)), "{error}");
}

const MQTT: &[&str] = &[
    "0\u{5}\u{0}\u{1}thi",
    "2\u{7}\u{0}\u{1}t\u{0}\u{1}hi",
    " \u{2}\u{0}\u{5}",
    "@\u{2}\u{0}\u{1}",
    "P\u{2}\u{0}\u{1}",
    "b\u{2}\u{0}\u{1}",
    "p\u{2}\u{0}\u{1}",
    "0\u{3}\u{0}\u{1}t",
    "\u{10}\u{c}\u{0}\u{4}MQTT\u{4}\u{2}\u{0}<\u{0}\u{0}",
];

proptest! {
    #[test]
    fn mqtt_is_the_same_however_it_is_cut(all in pieces_of(MQTT), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("MQTT", &all, &cuts), in_pieces("MQTT", &all, &[]));
    }

    #[test]
    fn mqtt_what_is_written_is_read_back(
        topic in "[a-z/é]{1,40}",
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        qos in 0_u8..3,
        retain: bool,
    ) {
        let sent = MqttPublish {
            qos,
            retain,
            packet_identifier: (qos > 0).then_some(11),
            ..publish(&topic, &payload)
        };
        let bytes = write(MqttPacket::Publish(sent.clone()));
        prop_assert_eq!(packets(&[&bytes]), [MqttPacket::Publish(sent)]);
    }
}
