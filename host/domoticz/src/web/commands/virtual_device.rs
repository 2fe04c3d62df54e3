//! Devices that people make.

use std::collections::HashSet;

use super::edit::{name, options};
use super::{Answer, Call, Outcome, explain};
use crate::{DeviceLimits, NewDevice, kind};
use cordon_base::limits::Limits;

/// Makes a device of a hardware, under the first unit that is free, and tells the
/// plugin of it.
pub(super) async fn create(call: &Call<'_>) -> Outcome {
    let hardware: u32 = call.query.required("idx")?;
    let known = call.api.plugins.hardware();
    if !known.iter().any(|info| info.id == hardware) {
        return Err("no hardware has this idx".to_owned());
    }
    let (device_type, sub_type) = types(call)?;
    let (rows, _charge) = call.api.devices.list(hardware).await.map_err(explain)?;
    let taken: HashSet<u32> = rows.iter().map(|row| row.unit).collect();
    let unit = (1..=255).find(|unit| !taken.contains(unit));
    let options = call.query.text("sensoroptions").map(|text| {
        // Options of custom sensors come as they are: a factor and a unit.
        match sub_type {
            kind::CUSTOM => {
                let text = name(text)?;
                Ok(vec![("Custom".to_owned(), text)])
            }
            _ => options(text),
        }
    });
    let device = NewDevice {
        unit: unit.ok_or("all 255 units of this hardware are taken")?,
        name: name(call.query.needed("sensorname")?)?,
        device_type,
        sub_type,
        switch_type: call.query.number("switchtype")?.unwrap_or(0),
        s_value: kind::table::find(device_type, sub_type).first.to_owned(),
        signal_level: 12,
        battery_level: 255,
        used: 1,
        options: options.transpose()?.unwrap_or_default(),
        ..NewDevice::default()
    };
    let limits = DeviceLimits::from(&Limits::default());
    let added = call.api.devices.add(hardware, device, limits).await;
    let notice = added.map_err(explain)?;
    let idx = notice.device.id.to_string();
    call.api.house.tell(notice).await;
    Ok(Answer::ok("CreateSensor").with("idx", idx))
}

/// Main type and sub type: `0xF31F`, or each by itself.
fn types(call: &Call<'_>) -> Result<(i64, i64), String> {
    if let Some(mapped) = call.query.text("sensormappedtype") {
        let digits = mapped.strip_prefix("0x").or(mapped.strip_prefix("0X"));
        let number = i64::from_str_radix(digits.unwrap_or(mapped), 16);
        return match number {
            Ok(number @ 0..=0xffff) => Ok((number >> 8, number & 0xff)),
            _ => Err("`sensormappedtype` is four digits such as 0xF31F".to_owned()),
        };
    }
    let byte = |name: &str| match call.query.required::<i64>(name)? {
        number @ 0..=255 => Ok(number),
        _ => Err(format!("`{name}` is from 0 to 255")),
    };
    Ok((byte("devicetype")?, byte("devicesubtype")?))
}
