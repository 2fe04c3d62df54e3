//! Who may use the API over HTTP: users and networks of `[web]`, and no page of somebody else.

use axum::body::HttpBody;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use cordon_web::access::{Access, Caller, Refusal, Rights};
use cordon_web::budget::Budget;
use cordon_web::early::Early;
use cordon_web::forwarded::Client;
use cordon_web::origin::{Act, Origins};
use cordon_web::rows::PIECE;
use cordon_web::server::Peer;

use crate::answer;

/// The means by which the hub's listener knows its clients.
#[derive(Clone)]
pub struct Gate {
    /// Who may use the API.
    pub access: Access,
    /// The names and origins that are the hub's own.
    pub origins: Origins,
    /// Room for answers under way.
    pub budget: Budget,
}

/// Lets a request in with its sender as an extension, and gives its answer room.
pub(crate) async fn let_in(
    State(gate): State<Gate>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let (caller, client) = match gate.admit(&peer, &request) {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    request.extensions_mut().insert(caller);
    let response = next.run(request).await;
    let size = response.body().size_hint().exact();
    let size = size.and_then(|size| usize::try_from(size).ok());
    match size.filter(|size| *size > PIECE) {
        None => response,
        Some(size) => match gate.budget.share(client.address).take(size).await {
            Some(room) => room.hold(response),
            None => answer::busy("the hub is sending too much at present").into_response(),
        },
    }
}

/// Marks a request as the operator's own: it came over the Unix socket.
pub(crate) async fn as_operator(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller {
        name: "operator".to_owned(),
        rights: Rights::Admin,
    });
    next.run(request).await
}

impl Gate {
    fn admit(&self, peer: &Peer, request: &Request) -> Result<(Caller, Client), Early> {
        let (headers, method) = (request.headers(), request.method());
        let act = match method.is_safe() {
            true => Act::Look,
            false => Act::Change,
        };
        let forbidden = |reason: String| answer::refused(StatusCode::FORBIDDEN, reason);
        let checked = self.origins.check(headers, method, act);
        checked.map_err(forbidden)?;
        let client = self.access.client(peer.address.ip(), headers);
        // A password in an address would stand in logs; older clients are none of this API's.
        let admitted = self.access.admit(client, headers, None);
        let caller = admitted.map_err(refuse)?;
        if caller.is_local() {
            self.origins.check_host(headers).map_err(forbidden)?;
        }
        peer.is_let_in(!caller.is_local());
        Ok((caller, client))
    }
}

fn refuse(refusal: Refusal) -> Early {
    let early = answer::refused(refusal.status(), refusal.words());
    let mut response = early.into_response();
    if refusal.status() == StatusCode::UNAUTHORIZED {
        let ask = HeaderValue::from_static("Basic realm=\"Cordon\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    }
    response.into()
}
