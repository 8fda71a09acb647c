//! Answers about Azure's own schedule.

use holdfast_model::{FrequencyUnit, NativeSchedule, Timestamp};
use serde_json::Value;

use super::Answer;
use crate::refusal::said;
use crate::wire::{self, Unreadable, number, text, time};
use crate::{Error, FoundSchedule, Operation, Target};

impl Answer {
    /// What POST /config/backup/list answers with: a configuration, or a 404 that says there is none. Of its secrets
    /// the SAS is read, and connection strings are not.
    pub fn schedule(&self, target: &Target<'_>, now: Timestamp) -> Result<Option<FoundSchedule>, Error> {
        if self.says_no_configuration() {
            return Ok(None);
        }
        self.accepted(target, now)?;
        let found = wire::json_body(&self.body).and_then(|body| {
            Ok(schedule(&body)?
                .map(|schedule| FoundSchedule { schedule, storage_url: wire::storage_url(&body) }))
        });
        found.map_err(|e| self.unreadable(target, &e))
    }

    /// That it was done. Azure answers PUT /config/backup with nothing, so the body is not looked at. A schedule that
    /// was not there is taken away.
    pub fn done(&self, target: &Target<'_>, now: Timestamp) -> Result<(), Error> {
        if target.operation == Operation::DeleteSchedule && self.says_no_configuration() {
            return Ok(());
        }
        self.accepted(target, now)
    }

    /// Is it the 404 of the configuration? That of an app that is not there looks much alike.
    fn says_no_configuration(&self) -> bool {
        let said = said(&self.body);
        let is = |text: Option<String>, wanted: fn(&str) -> bool| {
            text.is_some_and(|text| wanted(&text.to_ascii_lowercase()))
        };
        self.status == 404
            && is(said.code, |code| code == "notfound")
            && is(said.message, |message| message.contains("configuration not found"))
    }
}

/// The schedule in a configuration, which may be there without one.
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

/// A schedule that is half read would be set again, and setting one fires a backup.
fn odd(key: &str) -> Unreadable {
    Unreadable(format!("the schedule's `{key}` cannot be read"))
}

fn count(of: &Value, key: &str) -> Result<u32, Unreadable> {
    number(of, key).and_then(|number| number.try_into().ok()).ok_or_else(|| odd(key))
}

/// True or false, in quotes too; what is missing is off.
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
