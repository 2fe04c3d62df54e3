//! Lets clients in: holders of keys, users with passwords, and everybody where no authentication is
//! asked for.
//!
//! A browser that knows a password sends it by itself, whichever page causes the request. Requests
//! with a password are therefore kept from other sites' pages, as requests with nothing are. A key
//! is sent only by somebody who knows it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::body::{Bytes, HttpBody};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::answer::{Early, error, wrong_method};
use super::keys::{Verdict, Wanted, has_key};
use super::{IndigoApi, MAX_BODY, REALM, confirm};
use cordon_web::access::Access;
use cordon_web::access::Refusal;
use cordon_web::access::Rights;
use cordon_web::budget::{self, Room, Share};
use cordon_web::forwarded::Client;
use cordon_web::origin::{self, Act};
use cordon_web::places::network_of;
use cordon_web::server::Peer;

/// The head of a request and the address it comes from.
pub(super) struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    peer: Peer,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Early;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Early> {
        let peer = ConnectInfo::<Peer>::from_request_parts(parts, state).await;
        let ConnectInfo(peer) = peer.map_err(IntoResponse::into_response)?;
        Ok(Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            peer,
        })
    }
}

impl Asked {
    /// The address of the client.
    pub(super) fn client(&self, access: &Access) -> IpAddr {
        access.client(self.peer.address.ip(), &self.headers).address
    }

    /// The sender as others see it: a name, or else the address. An address is known by its colon or
    /// its dots, so a user of that name would only share its bounds.
    pub(super) fn sender(&self, access: &Access) -> String {
        match self.user() {
            "" => network_of(self.client(access)).to_string(),
            name => name.to_owned(),
        }
    }

    /// The name of the user or of the key, once the sender was let in; empty for nobody in
    /// particular.
    pub(super) fn user(&self) -> &str {
        self.peer.user()
    }
}

/// The body of a request, to be read only when the client was let in.
pub(super) struct Sent(Request);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(request))
    }
}

/// Longest body that takes no room of its client, in bytes.
const SHORT_BODY: usize = 64 << 10;

/// A body, with the room that a long one takes of its client until nobody needs it.
#[derive(Clone)]
pub(super) struct Received {
    bytes: Bytes,
    _room: Option<Arc<Room>>,
}

impl Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Sent {
    /// Reads the body, unless it is too large. Called behind [`IndigoApi::admit`], so that
    /// strangers learn nothing. A body without a length counts as the longest.
    pub(super) async fn bytes(self, share: &Share) -> Result<Received, Early> {
        let length = self.0.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let has_body = self.0.body().size_hint().exact() != Some(0);
        let length = length.unwrap_or(if has_body { MAX_BODY } else { 0 });
        let room = match length <= SHORT_BODY {
            true => None,
            false => match share.take(length.min(MAX_BODY)).await {
                Some(room) => Some(Arc::new(room)),
                None => return Err(budget::full().into()),
            },
        };
        let read = Bytes::from_request(self.0, &()).await;
        let bytes = read.map_err(|rejection| {
            error(
                rejection.status(),
                "invalid_request",
                &rejection.body_text(),
            )
        })?;
        Ok(Received { bytes, _room: room })
    }
}

impl IndigoApi {
    /// Lets a request in that uses one of these methods, and returns the rights of its sender. A
    /// refused request gets its answer as the error.
    pub(super) fn admit(
        &self,
        asked: &Asked,
        wanted: Wanted<'_>,
        methods: &'static str,
    ) -> Result<Rights, Early> {
        let rights = self.judge(asked, wanted)?;
        let allowed = methods
            .split(", ")
            .any(|method| method == asked.method.as_str());
        match allowed {
            true => Ok(rights),
            false => Err(wrong_method(methods).into()),
        }
    }

    fn judge(&self, asked: &Asked, wanted: Wanted<'_>) -> Result<Rights, Early> {
        if let Some(user) = self.user(asked) {
            let (name, rights) = user.map_err(|refusal| self.unauthorized(refusal))?;
            asked.peer.is_let_in(true);
            asked.peer.is_of(&name);
            self.keep_apart(asked, wanted)?;
            if rights < wanted.rights() {
                let text = format!("the user `{name}` may not do this");
                return Err(forbidden(&text));
            }
            return Ok(rights);
        }
        match self.keys.judge(&asked.headers, &asked.uri, wanted) {
            // Whoever knows a key may have the pages that it opens. A page that has read a key in
            // its own address cannot give commands with it.
            Verdict::Allowed(rights) => {
                asked.peer.is_let_in(true);
                if let Some(name) = self.keys.holder(&asked.headers, &asked.uri) {
                    asked.peer.is_of(name);
                }
                let opens = matches!(wanted, Wanted::Pages(_) | Wanted::Files(_));
                if !opens && !has_bearer(&asked.headers) {
                    self.keep_apart(asked, wanted)?;
                }
                Ok(rights)
            }
            Verdict::Open if self.access.needs_none(self.client(asked)) => {
                self.keep_apart(asked, wanted)?;
                let checked = self.origins.check_host(&asked.headers);
                checked.map_err(|reason| forbidden(&reason))?;
                asked.peer.is_let_in(false);
                Ok(Rights::Admin)
            }
            Verdict::Open | Verdict::NoKey => {
                if has_key(&asked.headers, &asked.uri) {
                    self.access.refuse_key(self.client(asked).address, false);
                }
                Err(self.unauthorized(Refusal::Missing))
            }
            Verdict::WrongKey => {
                self.access.refuse_key(self.client(asked).address, true);
                let text = "this API key is for something else";
                Err(self.ask(StatusCode::UNAUTHORIZED, text, Refusal::Missing))
            }
        }
    }

    fn client(&self, asked: &Asked) -> Client {
        let peer = asked.peer.address.ip();
        self.access.client(peer, &asked.headers)
    }

    /// The user whose password a request has, by name; nothing where the request has none.
    fn user(&self, asked: &Asked) -> Option<Result<(String, Rights), Refusal>> {
        if !self.access.has_users() {
            return None;
        }
        let value = asked.headers.get(header::AUTHORIZATION)?;
        let value = std::str::from_utf8(value.as_bytes()).ok()?;
        let (scheme, rest) = value.trim().split_once(' ')?;
        let address = self.client(asked).address;
        let caller = if scheme.eq_ignore_ascii_case("basic") {
            self.access.basic(address, rest)
        } else if scheme.eq_ignore_ascii_case("digest") {
            let target = asked.uri.path_and_query().map_or("/", |it| it.as_str());
            let method = asked.method.as_str();
            self.access.digest(address, rest, method, target)
        } else {
            return None;
        };
        Some(caller.map(|caller| (caller.name, caller.rights)))
    }

    /// Refuses requests that another site's page made a browser send.
    fn keep_apart(&self, asked: &Asked, wanted: Wanted<'_>) -> Result<(), Early> {
        let Asked {
            method, headers, ..
        } = asked;
        let act = match wanted {
            // A page that the browser keeps apart is another site to it. The page may have its
            // pictures and styles all the same.
            Wanted::Files(_) => Act::Show,
            Wanted::Look => Act::Look,
            Wanted::Operate | Wanted::Configure => Act::Change,
            Wanted::Pages(plugin) if method == Method::GET && follows(asked, plugin) => Act::Show,
            Wanted::Pages(_) => Act::Change,
        };
        let Err(reason) = self.origins.check(headers, method, act) else {
            return Ok(());
        };
        let may_ask = matches!(wanted, Wanted::Pages(_))
            && method == Method::GET
            && self.origins.check(headers, method, Act::Look).is_ok();
        match may_ask {
            true => Err(confirm::page(&asked.uri).into()),
            false => Err(forbidden(&reason)),
        }
    }

    fn unauthorized(&self, refusal: Refusal) -> Early {
        let text = match refusal {
            Refusal::Missing => {
                "an API key is needed: the header `Authorization: Bearer KEY`, with a key of \
                 [[indigo-api.keys]] in cordon.toml; or a user of [web]"
            }
            other => other.words(),
        };
        self.ask(refusal.status(), text, refusal)
    }

    /// An answer with the ways to log in.
    fn ask(&self, status: StatusCode, text: &str, refusal: Refusal) -> Early {
        let word = match status {
            StatusCode::UNAUTHORIZED => "unauthorized",
            _ => "too_many_failures",
        };
        let mut answer: Response = error(status, word, text);
        if status == StatusCode::UNAUTHORIZED {
            let own = [format!("Bearer realm=\"{REALM}\"")];
            // Clients that know a single way look only at the first.
            for challenge in self.access.challenges(refusal).into_iter().chain(own) {
                if let Ok(value) = HeaderValue::try_from(challenge) {
                    answer.headers_mut().append(header::WWW_AUTHENTICATE, value);
                }
            }
        }
        answer.into()
    }
}

fn forbidden(reason: &str) -> Early {
    error(StatusCode::FORBIDDEN, "forbidden", reason).into()
}

/// Whether a page of this plugin or of the hub led here, such as the question whether to come here.
/// To the browser, a page that is kept apart is of no origin.
fn follows(asked: &Asked, plugin: &str) -> bool {
    if origin::is_same_origin(&asked.headers) {
        return true;
    }
    let Some(from) = origin::own_referer(&asked.headers) else {
        return false;
    };
    let below = |start: &str| {
        let rest = from.strip_prefix(start);
        let rest = rest.and_then(|rest| rest.strip_prefix(plugin));
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    from == asked.uri.path() || below("/message/") || below("/")
}

fn has_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    let scheme = value.and_then(|value| value.as_bytes().split(|it| *it == b' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}
