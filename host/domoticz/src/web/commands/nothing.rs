//! Commands about features that this hub does not have: they answer as a Domoticz in which nobody
//! uses them.

use jiff::Timestamp;

use super::{Answer, COMMANDS, Call, Outcome};

/// OK and no rows.
pub(super) async fn done(call: &Call<'_>) -> Outcome {
    let name = call.query.text("param").unwrap_or("");
    let named = COMMANDS.iter().find(|command| command.name == name);
    Ok(Answer::ok(named.map_or("OK", |command| command.title)))
}

/// No scenes, and the time now.
pub(super) async fn scenes(_: &Call<'_>) -> Outcome {
    Ok(Answer::ok("Scenes").with("ActTime", Timestamp::now().as_second()))
}
