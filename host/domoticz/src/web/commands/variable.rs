//! User variables.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, failed};
use crate::variables::{Kind, Variable};

pub(super) async fn list(call: &Call<'_>) -> Outcome {
    let all = call.api.variables.all().await.map_err(failed)?;
    let texts = all
        .iter()
        .map(|it| it.name.len().saturating_add(it.value.len()));
    let weight = texts.fold(size_of_val(all.as_slice()), usize::saturating_add);
    Ok(Answer::ok("GetUserVariables").with_each(all.into_iter().map(row), weight))
}

pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let id = call.idx()?;
    let all = call.api.variables.all().await.map_err(failed)?;
    let found = all.into_iter().filter(|variable| variable.id == id);
    Ok(Answer::ok("GetUserVariable").with_result(found.map(row).collect()))
}

pub(super) async fn add(call: &Call<'_>) -> Outcome {
    let (name, kind, value) = parts(call)?;
    call.api
        .variables
        .add(name, kind, value, call.caller.rights)
        .await
        .map_err(failed)?;
    Ok(Answer::ok("AddUserVariable"))
}

pub(super) async fn update(call: &Call<'_>) -> Outcome {
    let (name, kind, value) = parts(call)?;
    let id = call.query.number("idx")?;
    let updated = call.api.variables.update(id, name, kind, value).await;
    updated.map_err(failed)?;
    Ok(Answer::ok("UpdateUserVariable"))
}

pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    call.api
        .variables
        .remove(call.idx()?)
        .await
        .map_err(failed)?;
    Ok(Answer::ok("DeleteUserVariable"))
}

fn parts<'a>(call: &'a Call<'_>) -> Result<(&'a str, Kind, &'a str), String> {
    let kind = Kind::parse(call.query.needed("vtype")?);
    let kind = kind.ok_or("`vtype` is 0 integer, 1 float, 2 string, 3 date or 4 time")?;
    let value = call
        .query
        .raw("vvalue")
        .ok_or("parameter `vvalue` is missing")?;
    Ok((call.query.needed("vname")?, kind, value))
}

/// Clients know all of them as texts.
fn row(variable: Variable) -> Value {
    let updated = variable.updated.to_zoned(TimeZone::system());
    json!({
        "idx": variable.id.to_string(), "Name": variable.name, "Type": variable.kind.to_string(),
        "Value": variable.value, "LastUpdate": updated.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    })
}
