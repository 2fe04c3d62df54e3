//! Messages of connections as Python values and back: bytes, or a tuple that begins
//! with the name of its kind and goes on with the fields of the WIT record.

use rustpython_vm::{
    PyObjectRef, PyResult, TryFromObject, VirtualMachine,
    builtins::{PyTuple, PyTupleRef},
    convert::ToPyObject,
    function::ArgBytesLike,
};

use crate::abi::cordon::plugin::connections::{
    Header, HttpInbound, HttpOutbound, IcmpHeaders, IcmpInbound, Inbound, MqttConnect, MqttPacket,
    MqttPublish, MqttSubscribe, MqttUnsubscribe, MqttWill, Outbound, WebsocketInbound,
    WebsocketOpcode, WebsocketOutbound,
};
use crate::convert::{Fields, list_of, optional_text, text, tuple};

/// Kinds of WebSocket frames, by the names that Python knows.
const OPCODES: [(WebsocketOpcode, &str); 7] = [
    (WebsocketOpcode::Continuation, "continuation"),
    (WebsocketOpcode::Text, "text"),
    (WebsocketOpcode::Binary, "binary"),
    (WebsocketOpcode::Close, "close"),
    (WebsocketOpcode::Ping, "ping"),
    (WebsocketOpcode::Pong, "pong"),
    (WebsocketOpcode::Other, "other"),
];

fn bytes(bytes: Vec<u8>, vm: &VirtualMachine) -> PyObjectRef {
    vm.ctx.new_bytes(bytes).into()
}

fn list(items: impl Iterator<Item = PyObjectRef>, vm: &VirtualMachine) -> PyObjectRef {
    vm.ctx.new_list(items.collect()).into()
}

/// A received message.
pub fn inbound(data: Inbound, vm: &VirtualMachine) -> PyObjectRef {
    match data {
        Inbound::Bytes(data) => bytes(data, vm),
        Inbound::Json(json) => tuple(vec![text("json", vm), text(&json, vm)], vm),
        Inbound::Http(http) => http_inbound(http, vm),
        Inbound::Websocket(frame) => websocket_inbound(frame, vm),
        Inbound::Mqtt(packet) => mqtt_inbound(packet, vm),
        Inbound::Icmp(answer) => icmp_inbound(answer, vm),
    }
}

fn http_inbound(http: HttpInbound, vm: &VirtualMachine) -> PyObjectRef {
    let headers = http.headers.into_iter().map(|(name, values)| {
        let values = values.iter().map(|value| text(value, vm));
        tuple(vec![text(&name, vm), list(values, vm)], vm)
    });
    let headers = list(headers, vm);
    tuple(
        vec![
            text("http", vm),
            optional_text(http.verb, vm),
            optional_text(http.url, vm),
            optional_text(http.status, vm),
            headers,
            http.data
                .map_or_else(|| vm.ctx.none(), |data| bytes(data, vm)),
        ],
        vm,
    )
}

fn websocket_inbound(frame: WebsocketInbound, vm: &VirtualMachine) -> PyObjectRef {
    let name = OPCODES.iter().find(|(opcode, _)| *opcode == frame.opcode);
    tuple(
        vec![
            text("websocket", vm),
            text(name.map_or("other", |(_, name)| name), vm),
            frame.finish.to_pyobject(vm),
            frame.mask.to_pyobject(vm),
            bytes(frame.payload, vm),
        ],
        vm,
    )
}

fn mqtt_inbound(packet: MqttPacket, vm: &VirtualMachine) -> PyObjectRef {
    let (verb, fields) = match packet {
        MqttPacket::Connect(it) => ("CONNECT", mqtt_connect(it, vm)),
        MqttPacket::Connack((session_present, code)) => (
            "CONNACK",
            vec![session_present.to_pyobject(vm), code.to_pyobject(vm)],
        ),
        MqttPacket::Publish(it) => (
            "PUBLISH",
            vec![
                it.duplicate.to_pyobject(vm),
                it.qos.to_pyobject(vm),
                it.retain.to_pyobject(vm),
                text(&it.topic, vm),
                it.packet_identifier.to_pyobject(vm),
                bytes(it.payload, vm),
            ],
        ),
        MqttPacket::Puback(id) => ("PUBACK", vec![id.to_pyobject(vm)]),
        MqttPacket::Pubrec(id) => ("PUBREC", vec![id.to_pyobject(vm)]),
        MqttPacket::Pubrel(id) => ("PUBREL", vec![id.to_pyobject(vm)]),
        MqttPacket::Pubcomp(id) => ("PUBCOMP", vec![id.to_pyobject(vm)]),
        MqttPacket::Subscribe(it) => {
            let topics = it
                .topics
                .into_iter()
                .map(|(topic, qos)| tuple(vec![text(&topic, vm), qos.to_pyobject(vm)], vm));
            let topics = list(topics, vm);
            (
                "SUBSCRIBE",
                vec![it.packet_identifier.to_pyobject(vm), topics],
            )
        }
        MqttPacket::Suback((id, codes)) => {
            let codes = list(codes.into_iter().map(|code| code.to_pyobject(vm)), vm);
            ("SUBACK", vec![id.to_pyobject(vm), codes])
        }
        MqttPacket::Unsubscribe(it) => {
            let topics = list(it.topics.iter().map(|topic| text(topic, vm)), vm);
            (
                "UNSUBSCRIBE",
                vec![it.packet_identifier.to_pyobject(vm), topics],
            )
        }
        MqttPacket::Unsuback(id) => ("UNSUBACK", vec![id.to_pyobject(vm)]),
        MqttPacket::Pingreq => ("PINGREQ", vec![]),
        MqttPacket::Pingresp => ("PINGRESP", vec![]),
        MqttPacket::Disconnect => ("DISCONNECT", vec![]),
    };
    let mut items = vec![text("mqtt", vm), text(verb, vm)];
    items.extend(fields);
    tuple(items, vm)
}

fn mqtt_connect(it: MqttConnect, vm: &VirtualMachine) -> Vec<PyObjectRef> {
    let will = match it.will {
        Some(will) => tuple(
            vec![
                text(&will.topic, vm),
                bytes(will.payload, vm),
                will.qos.to_pyobject(vm),
                will.retain.to_pyobject(vm),
            ],
            vm,
        ),
        None => vm.ctx.none(),
    };
    vec![
        text(&it.client_id, vm),
        it.clean_session.to_pyobject(vm),
        it.keep_alive.to_pyobject(vm),
        will,
        optional_text(it.username, vm),
        optional_text(it.password, vm),
    ]
}

fn icmp_inbound(answer: IcmpInbound, vm: &VirtualMachine) -> PyObjectRef {
    let headers = answer
        .headers
        .map_or_else(|| vm.ctx.none(), |headers| icmp_headers(&headers, vm));
    tuple(
        vec![
            text("icmp", vm),
            answer.status.to_pyobject(vm),
            answer.elapsed_ms.to_pyobject(vm),
            headers,
            bytes(answer.data, vm),
        ],
        vm,
    )
}

fn icmp_headers(headers: &IcmpHeaders, vm: &VirtualMachine) -> PyObjectRef {
    tuple(
        vec![
            text(&headers.source, vm),
            text(&headers.destination, vm),
            headers.version.to_pyobject(vm),
            headers.protocol.to_pyobject(vm),
            headers.type_of_service.to_pyobject(vm),
            headers.header_length.to_pyobject(vm),
            headers.total_length.to_pyobject(vm),
            headers.identification.to_pyobject(vm),
            headers.header_checksum.to_pyobject(vm),
            headers.time_to_live.to_pyobject(vm),
            headers.icmp_type.to_pyobject(vm),
            headers.code.to_pyobject(vm),
            headers.checksum.to_pyobject(vm),
            headers.identifier.to_pyobject(vm),
            headers.sequence_number.to_pyobject(vm),
        ],
        vm,
    )
}

/// A message to send: bytes, or a tuple as the module says.
///
/// # Errors
///
/// `TypeError` for anything else: a fault of the runtime's Python.
pub fn outbound(message: PyObjectRef, vm: &VirtualMachine) -> PyResult<Outbound> {
    let Ok(tuple) = message.clone().downcast::<PyTuple>() else {
        return Ok(Outbound::Bytes(raw(message, vm)?));
    };
    let mut fields = Fields::new(&tuple, vm);
    let kind: String = fields.next()?;
    match kind.as_str() {
        "http" => Ok(Outbound::Http(http_outbound(&mut fields, vm)?)),
        "websocket" => Ok(Outbound::Websocket(websocket_outbound(&mut fields, vm)?)),
        "mqtt" => Ok(Outbound::Mqtt(mqtt_outbound(&mut fields, vm)?)),
        _ => Err(vm.new_type_error("no kind of message")),
    }
}

fn raw(object: PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
    Ok(ArgBytesLike::try_from_object(vm, object)?
        .borrow_buf()
        .to_vec())
}

fn http_outbound(fields: &mut Fields<'_>, vm: &VirtualMachine) -> PyResult<HttpOutbound> {
    Ok(HttpOutbound {
        verb: fields.next()?,
        url: fields.next()?,
        status: fields.next()?,
        headers: list_of(&fields.next()?, vm, |fields| {
            let name = fields.next()?;
            let values: Vec<ArgBytesLike> = fields.next::<PyObjectRef>()?.try_to_value(vm)?;
            let values = values.iter().map(|v| v.borrow_buf().to_vec()).collect();
            Ok(Header { name, values })
        })?,
        data: {
            let data: PyObjectRef = fields.next()?;
            if vm.is_none(&data) {
                None
            } else {
                Some(raw(data, vm)?)
            }
        },
        chunk: fields.next()?,
    })
}

fn websocket_outbound(fields: &mut Fields<'_>, vm: &VirtualMachine) -> PyResult<WebsocketOutbound> {
    let name: String = fields.next()?;
    let found = OPCODES.iter().find(|(_, known)| *known == name);
    let (opcode, _) = found.ok_or_else(|| vm.new_type_error("no kind of frame"))?;
    Ok(WebsocketOutbound {
        opcode: *opcode,
        mask: fields.next()?,
        payload: raw(fields.next()?, vm)?,
    })
}

fn mqtt_outbound(fields: &mut Fields<'_>, vm: &VirtualMachine) -> PyResult<MqttPacket> {
    let verb: String = fields.next()?;
    Ok(match verb.as_str() {
        "CONNECT" => MqttPacket::Connect(MqttConnect {
            client_id: fields.next()?,
            clean_session: fields.next()?,
            keep_alive: fields.next()?,
            will: match fields.next::<Option<PyTupleRef>>()? {
                Some(will) => {
                    let mut will = Fields::new(&will, vm);
                    Some(MqttWill {
                        topic: will.next()?,
                        payload: raw(will.next()?, vm)?,
                        qos: will.next()?,
                        retain: will.next()?,
                    })
                }
                None => None,
            },
            username: None,
            password: None,
        }),
        "CONNACK" => MqttPacket::Connack((fields.next()?, fields.next()?)),
        "PUBLISH" => MqttPacket::Publish(MqttPublish {
            duplicate: fields.next()?,
            qos: fields.next()?,
            retain: fields.next()?,
            topic: fields.next()?,
            packet_identifier: fields.next()?,
            payload: raw(fields.next()?, vm)?,
        }),
        "PUBACK" => MqttPacket::Puback(fields.next()?),
        "PUBREC" => MqttPacket::Pubrec(fields.next()?),
        "PUBREL" => MqttPacket::Pubrel(fields.next()?),
        "PUBCOMP" => MqttPacket::Pubcomp(fields.next()?),
        "SUBSCRIBE" => MqttPacket::Subscribe(MqttSubscribe {
            packet_identifier: fields.next()?,
            topics: list_of(&fields.next()?, vm, |fields| {
                Ok((fields.next()?, fields.next()?))
            })?,
        }),
        "SUBACK" => MqttPacket::Suback((
            fields.next()?,
            fields.next::<PyObjectRef>()?.try_to_value(vm)?,
        )),
        "UNSUBSCRIBE" => MqttPacket::Unsubscribe(MqttUnsubscribe {
            packet_identifier: fields.next()?,
            topics: fields.next::<PyObjectRef>()?.try_to_value(vm)?,
        }),
        "UNSUBACK" => MqttPacket::Unsuback(fields.next()?),
        "PINGREQ" => MqttPacket::Pingreq,
        "PINGRESP" => MqttPacket::Pingresp,
        "DISCONNECT" => MqttPacket::Disconnect,
        _ => return Err(vm.new_type_error("no kind of packet")),
    })
}
