//! `tls`: cryptography for sockets that the plugin drives itself.

use crate::abi::cordon::plugin::tls::{self, Agreement, Failure, Progress, Refusal, Settings};
use crate::instance::state::InstanceState;
use crate::tls::{NotMade, failure};

impl InstanceState {
    fn made(&self, made: Result<u32, NotMade>) -> Result<u32, Refusal> {
        made.map_err(|reason| match reason {
            NotMade::Refused(refusal) => refusal,
            NotMade::Limit(hit) => {
                self.shared.log.limit(&hit);
                match hit.which {
                    "tls-bytes" | "host-memory" => Refusal::TooLarge,
                    _ => Refusal::TooMany,
                }
            }
        })
    }
}

impl tls::Host for InstanceState {
    fn open_context(&mut self, settings: Settings) -> Result<u32, Refusal> {
        let made = self.tls.open_context(settings);
        self.made(made)
    }

    fn close_context(&mut self, context: u32) {
        self.tls.close_context(context);
    }

    fn open_client(&mut self, context: u32, name: Option<String>) -> Result<u32, Refusal> {
        let made = self.tls.open_client(context, name.as_deref());
        self.made(made)
    }

    fn open_server(&mut self, context: u32, pause: bool) -> Result<u32, Refusal> {
        let made = self.tls.open_server(context, pause);
        self.made(made)
    }

    fn greeted_name(&mut self, session: u32) -> Option<String> {
        self.tls.session(session)?.greeted_name()
    }

    fn choose(&mut self, session: u32, context: u32) -> Result<(), Failure> {
        self.tls.choose(session, context)
    }

    fn refuse(&mut self, session: u32, alert: u8) {
        if let Some(session) = self.tls.session(session) {
            session.refuse(alert);
        }
    }

    fn close_session(&mut self, session: u32) {
        self.tls.close_session(session);
    }

    fn feed(&mut self, session: u32, bytes: Vec<u8>) -> Result<Progress, Failure> {
        match self.tls.session(session) {
            Some(session) => session.feed(&bytes),
            None => Err(failure::protocol(
                "INTERNAL_ERROR",
                "there is no such session",
            )),
        }
    }

    fn take(&mut self, session: u32, most: u32) -> Vec<u8> {
        let session = self.tls.session(session);
        session
            .map(|session| session.take(most))
            .unwrap_or_default()
    }

    fn read(&mut self, session: u32, most: u32) -> Vec<u8> {
        let session = self.tls.session(session);
        session
            .map(|session| session.read(most))
            .unwrap_or_default()
    }

    fn write(&mut self, session: u32, bytes: Vec<u8>) -> u32 {
        let session = self.tls.session(session);
        session.map_or(0, |session| session.write(&bytes))
    }

    fn say_goodbye(&mut self, session: u32) {
        if let Some(session) = self.tls.session(session) {
            session.say_goodbye();
        }
    }

    fn agreed(&mut self, session: u32) -> Option<Agreement> {
        self.tls.session(session)?.agreed()
    }

    fn exported(&mut self, session: u32) -> Option<Vec<u8>> {
        self.tls.session(session)?.exported()
    }
}
