//! The commands about the status of the house, which says whether it is guarded.

use super::info::setting;
use super::settings::{CODE, DELAY};
use super::{Answer, Call, Outcome, explain, failed};
use crate::Security;
use cordon_web::access::{Refusal, md5_hex};

pub(super) async fn security(call: &Call<'_>) -> Outcome {
    let status = call.api.house.security().await.map_err(failed)?;
    let delay = setting(call, DELAY).await?;
    let delay: i64 = delay.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Answer::ok("GetSecStatus")
        .with("secstatus", status.level())
        .with("secondelay", delay))
}

/// Needs the code where one is set; guesses are slowed down as wrong passwords are.
pub(super) async fn set_security(call: &Call<'_>) -> Outcome {
    let level: i64 = call.query.required("secstatus")?;
    let status = Security::from_level(level).ok_or("`secstatus` is 0, 1 or 2")?;
    let code = call.api.preferences.secret(CODE).await.map_err(failed)?;
    if let Some(code) = code.filter(|code| !code.is_empty()) {
        let given = call
            .query
            .text("seccode")
            .unwrap_or("")
            .to_ascii_lowercase();
        // Some clients send the code itself.
        let given = match given.len() == code.len() {
            true => given,
            false => md5_hex(&given),
        };
        let compared = call.api.access.compare(call.peer, &given, &code);
        compared.map_err(|refusal| match refusal {
            Refusal::TooMany => refusal.words().to_owned(),
            Refusal::Wrong | Refusal::Missing | Refusal::Stale => "WRONG CODE".to_owned(),
        })?;
    }
    let set = call.api.house.set_security(status).await;
    set.map_err(explain)?;
    Ok(Answer::ok("SetSecStatus"))
}
