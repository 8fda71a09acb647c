//! Responses about the native schedule of an app.

use holdfast_model::{FrequencyUnit, NativeSchedule};
use serde_json::Value;

use super::ArmResponse;
use crate::envelope::{Envelope, has_request_id};
use crate::wire::{self, Unreadable, number, text, time};
use crate::{Error, FoundSchedule, Operation};

impl ArmResponse<'_> {
    /// Reads the response to POST /config/backup/list: a configuration, or a 404 that says there is none. Of its secrets
    /// only the SAS is read.
    pub(crate) fn schedule(&self) -> Result<Option<FoundSchedule>, Error> {
        if self.says_no_configuration() {
            return Ok(None);
        }
        self.read(|body| {
            let schedule = schedule(body)?;
            let (storage_url, databases) =
                (wire::storage_url(body), wire::databases(&body["properties"]["databases"]));
            Ok(schedule.map(|schedule| FoundSchedule { schedule, storage_url, databases }))
        })
    }

    /// Reads the response to the PUT or DELETE of a schedule: nothing (recordings) or JSON (specification). The DELETE of an
    /// absent schedule succeeds.
    pub(crate) fn done(&self) -> Result<(), Error> {
        if self.subject.operation == Operation::DeleteSchedule && self.says_no_configuration() {
            return Ok(());
        }
        if self.is_empty_success()? {
            return Ok(());
        }
        match wire::json_body(&self.response.body) {
            Ok(Value::Object(_)) => Ok(()),
            Ok(_) => Err(self.unreadable(&Unreadable("the body is no configuration".to_owned()))),
            Err(why) => Err(self.unreadable(&why)),
        }
    }

    /// Whether it is the 404 of the configuration. That of a missing app looks much alike.
    fn says_no_configuration(&self) -> bool {
        let said = Envelope::read(&self.response.body);
        let is = |text: Option<String>, wanted: fn(&str) -> bool| {
            text.is_some_and(|text| wanted(&text.to_ascii_lowercase()))
        };
        self.response.status == 404
            && has_request_id(&self.response.headers)
            && is(said.code, |code| code == "notfound")
            && is(said.message, |message| message.contains("configuration not found"))
    }
}

/// The schedule in a configuration. A configuration may have none.
fn schedule(body: &Value) -> Result<Option<NativeSchedule>, Unreadable> {
    let properties = &body["properties"];
    if !properties.is_object() {
        return Err(Unreadable("the body is no configuration: it has no `properties`".to_owned()));
    }
    let schedule = &properties["backupSchedule"];
    if schedule.is_null() {
        return Ok(None);
    }
    let start = match &schedule["startTime"] {
        Value::Null => None,
        _ => Some(time(schedule, "startTime").ok_or_else(|| odd("startTime"))?),
    };
    Ok(Some(NativeSchedule {
        enabled: flag(properties, "enabled")?,
        every: count(schedule, "frequencyInterval")?,
        unit: unit(schedule)?,
        retention_days: count(schedule, "retentionPeriodInDays")?,
        keep_at_least_one: flag(schedule, "keepAtLeastOneBackup")?,
        start,
    }))
}

/// The error of a key that cannot be read. Ignored, it would look like drift: the schedule would be set again, and
/// setting one starts a backup.
fn odd(key: &str) -> Unreadable {
    Unreadable(format!("the schedule's `{key}` cannot be read"))
}

fn count(of: &Value, key: &str) -> Result<u32, Unreadable> {
    number(of, key).and_then(|number| number.try_into().ok()).ok_or_else(|| odd(key))
}

/// A flag, in quotes or not. A missing flag is off.
fn flag(of: &Value, key: &str) -> Result<bool, Unreadable> {
    match &of[key] {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        other => {
            let word = other.as_str().map(|word| word.trim().to_ascii_lowercase());
            word.and_then(|word| word.parse().ok()).ok_or_else(|| odd(key))
        }
    }
}

fn unit(of: &Value) -> Result<FrequencyUnit, Unreadable> {
    let word = text(of, "frequencyUnit").unwrap_or_default().trim();
    let units = [FrequencyUnit::Day, FrequencyUnit::Hour];
    units
        .into_iter()
        .find(|unit| unit.as_str().eq_ignore_ascii_case(word))
        .ok_or_else(|| odd("frequencyUnit"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configuration() -> Value {
        json!({"properties": {"enabled": true, "backupSchedule": {
            "frequencyInterval": 7, "frequencyUnit": "Day", "keepAtLeastOneBackup": true,
            "retentionPeriodInDays": 30, "startTime": "2026-11-23T02:00:00"}}})
    }

    #[test]
    fn texts_for_numbers_and_flags_and_units_in_lower_case_are_read() {
        let typed = schedule(&configuration()).unwrap().unwrap();
        let quoted = json!({"properties": {"enabled": "True", "backupSchedule": {
            "frequencyInterval": "7", "frequencyUnit": "day", "keepAtLeastOneBackup": "True",
            "retentionPeriodInDays": "30", "startTime": "2026-11-23T02:00:00Z"}}});
        assert_eq!(schedule(&quoted).unwrap(), Some(typed.clone()));
        assert_eq!((typed.every, typed.unit, typed.retention_days), (7, FrequencyUnit::Day, 30));
        assert!(typed.enabled && typed.keep_at_least_one && typed.start.is_some());
    }

    #[test]
    fn a_configuration_without_a_schedule_has_none_and_missing_flags_are_off() {
        assert_eq!(schedule(&json!({"properties": {"backupSchedule": null}})), Ok(None));
        assert_eq!(schedule(&json!({"properties": {}})), Ok(None));
        let mut bare = configuration();
        bare["properties"]["enabled"] = Value::Null;
        bare["properties"]["backupSchedule"]["startTime"] = Value::Null;
        let bare = schedule(&bare).unwrap().unwrap();
        assert_eq!((bare.enabled, bare.start), (false, None));
    }

    #[test]
    fn a_schedule_that_is_half_readable_is_not_read() {
        for (key, odd) in [
            ("frequencyInterval", json!(-1)),
            ("frequencyInterval", json!(1.5)),
            ("frequencyInterval", Value::Null),
            ("frequencyUnit", json!("Week")),
            ("frequencyUnit", json!(0)),
            ("keepAtLeastOneBackup", json!("perhaps")),
            ("retentionPeriodInDays", json!(5_000_000_000_i64)),
            ("startTime", json!("soon")),
        ] {
            let mut body = configuration();
            body["properties"]["backupSchedule"][key] = odd;
            assert_eq!(schedule(&body), Err(super::odd(key)));
        }
        for body in [json!([]), json!(null), json!({"properties": []})] {
            assert!(schedule(&body).is_err(), "{body}");
        }
    }
}
