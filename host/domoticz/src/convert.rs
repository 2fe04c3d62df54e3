//! Events of the hub and of connections as the contract words them.

use crate::abi::exports::cordon::plugin::domoticz::{self, Event};
use crate::connection::{ConnectionEvent, Credit};
use crate::{HubEvent, Level};

/// The way in which an event of the hub reaches the guest.
pub enum Told {
    /// As an event of the contract.
    Event(Event),
    /// As a call of this function, with its arguments in JSON.
    Call(&'static str, String),
}

impl From<HubEvent> for Told {
    fn from(event: HubEvent) -> Self {
        let key = |device_id, unit| domoticz::DeviceKey { device_id, unit };
        Self::Event(match event {
            HubEvent::Command {
                device_id,
                unit,
                command,
                level,
                color,
            } => Event::Command(domoticz::Command {
                device_id,
                unit,
                command,
                level: match level {
                    Level::Whole(level) => domoticz::Level::Whole(level),
                    Level::Real(level) => domoticz::Level::Real(level),
                },
                color,
            }),
            HubEvent::DeviceAdded { device_id, unit } => Event::DeviceAdded(key(device_id, unit)),
            HubEvent::DeviceModified { device_id, unit } => {
                Event::DeviceModified(key(device_id, unit))
            }
            HubEvent::DeviceRemoved { device_id, unit } => {
                Event::DeviceRemoved(key(device_id, unit))
            }
            HubEvent::Security {
                device_id,
                unit,
                status,
            } => Event::Security(domoticz::Security {
                device_id,
                unit,
                level: status.level(),
                description: status.description().to_owned(),
            }),
            HubEvent::Notification(it) => Event::Notification(domoticz::Notification {
                name: it.name,
                subject: it.subject,
                text: it.text,
                status: it.status,
                priority: it.priority,
                sound: it.sound,
                image_file: it.image_file,
            }),
            HubEvent::Settings(settings) => Event::Settings(settings),
            HubEvent::WebSocketMessage(data) => {
                let arguments = serde_json::json!({ "Data": data }).to_string();
                return Self::Call("onWebSocketMessage", arguments);
            }
        })
    }
}

/// A connection's event, and the credit that gives its buffer back once the plugin has it.
#[must_use]
pub fn connection(event: ConnectionEvent) -> (Event, Option<Credit>) {
    match event {
        ConnectionEvent::Connected {
            id,
            parent,
            peer_address,
            peer_port,
            status,
            description,
        } => {
            let connected = domoticz::Connected {
                id,
                parent,
                peer_address,
                peer_port,
                status,
                description,
            };
            (Event::Connected(connected), None)
        }
        ConnectionEvent::Message {
            id,
            sender,
            data,
            credit,
        } => {
            let sender = sender.map(|peer| domoticz::Sender {
                address: peer.ip().to_string(),
                port: peer.port().to_string(),
            });
            let data = data.into();
            let message = domoticz::Message { id, sender, data };
            (Event::Message(message), Some(credit))
        }
        ConnectionEvent::TimedOut(id) => (Event::TimedOut(id), None),
        ConnectionEvent::Disconnected(id) => (Event::Disconnected(id), None),
    }
}

/// The callback an event goes to, for logs and limits.
#[must_use]
pub fn callback(event: &Event) -> &'static str {
    match event {
        Event::Started => "onStart",
        Event::Stopping => "onStop",
        Event::Heartbeat => "onHeartbeat",
        Event::Connected(_) => "onConnect",
        Event::Message(_) => "onMessage",
        Event::TimedOut(_) => "onTimeout",
        Event::Disconnected(_) => "onDisconnect",
        Event::Command(_) => "onCommand",
        Event::DeviceAdded(_) => "onDeviceAdded",
        Event::DeviceModified(_) => "onDeviceModified",
        Event::DeviceRemoved(_) => "onDeviceRemoved",
        Event::Security(_) => "onSecurityEvent",
        Event::Notification(_) => "onNotification",
        Event::Settings(_) => "settings",
    }
}
