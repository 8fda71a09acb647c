//! From a reading and a query to a page of the fleet. Pure.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, Cause, PolicyName, Timestamp};
use holdfast_store::AppStatus;

use crate::Error;
use crate::views::app_facts::{AppFacts, age_permille};
use crate::views::cause_advice;
use crate::views::condition::Condition;
use crate::views::cursor;
use crate::views::day_mark::{DayMark, strip};
use crate::views::fleet::{Facet, Facets, FleetPage, FleetQuery, FleetRow, Sort};
use crate::views::reading::{DAYS, FleetReading};
use crate::views::tag_facet;

/// A page of the apps that match a query: at most `most` rows.
pub fn fleet_page(reading: &FleetReading, query: &FleetQuery, most: usize) -> Result<FleetPage, Error> {
    let facts = AppFacts::of_all(reading);
    let matches = Matches::of(query, &facts, reading.at);
    let mut rows: Vec<(Key<'_>, &AppFacts<'_>)> =
        matches.all().map(|app| (Key::of(app, query.sort, reading), app)).collect();
    rows.sort_unstable_by(|(a, _), (b, _)| order(a, b, query.reverse));
    let matching = rows.len();
    let first = match &query.after {
        None => 0,
        Some(after) => {
            let place = Place::decode(after, query)?;
            rows.partition_point(|(key, _)| order(key, &place.key(), query.reverse) != Ordering::Greater)
        }
    };
    let shown = &rows[first..matching.min(first.saturating_add(most))];
    let is_last = first + shown.len() >= matching;
    let next = shown.last().filter(|_| !is_last).map(|(key, _)| Place::of(key, query).encode());
    Ok(FleetPage {
        as_of: reading.at,
        enrolled: reading.apps.iter().filter(|status| !status.removed).count(),
        matching,
        rows: shown.iter().map(|(_, app)| row(app, reading)).collect(),
        facets: matches.facets(),
        next,
        store_away: false,
    })
}

/// The apps that match a query, on all pages, in the order of the reading.
pub fn matching<'a>(reading: &'a FleetReading, query: &FleetQuery) -> Vec<&'a AppStatus> {
    let facts = AppFacts::of_all(reading);
    Matches::of(query, &facts, reading.at).all().map(|app| app.status).collect()
}

/// The kinds of filters that have facets, and the rest.
const KINDS: usize = 7;
const CONDITION: usize = 0;
const POLICY: usize = 1;
const CAUSE: usize = 2;
const SUBSCRIPTION: usize = 3;
const GROUP: usize = 4;
const TAGS: usize = 5;
const REST: usize = 6;

/// Which filters of a query each app passes.
struct Matches<'q, 'a> {
    query: &'q FleetQuery,
    apps: Vec<([bool; KINDS], &'q AppFacts<'a>)>,
}

impl<'q, 'a> Matches<'q, 'a> {
    fn of(query: &'q FleetQuery, facts: &'q [AppFacts<'a>], now: Timestamp) -> Self {
        let words: Vec<String> = query.text.split_whitespace().map(str::to_lowercase).collect();
        let one_of = |wanted: &BTreeSet<String>, value: &str| wanted.is_empty() || wanted.contains(value);
        let passes = |app: &AppFacts<'_>| {
            let id = &app.status.app;
            let mut passes = [true; KINDS];
            passes[CONDITION] = if query.conditions.is_empty() {
                app.condition != Condition::Left
            } else {
                query.conditions.contains(&app.condition)
            };
            passes[POLICY] = one_of(&query.policies, policy(app.status));
            passes[CAUSE] =
                query.causes.is_empty() || app.cause().is_some_and(|cause| query.causes.contains(&cause));
            passes[SUBSCRIPTION] = one_of(&query.subscriptions, id.subscription().as_str());
            passes[GROUP] = one_of(&query.resource_groups, id.resource_group());
            passes[TAGS] = app.status.tags.satisfy_all(&query.tags);
            passes[REST] = (!query.recent || app.is_recent(now))
                && (!query.sas_lapsing || app.has_lapsing_sas())
                && has_words(app.status, &words);
            passes
        };
        Self { query, apps: facts.iter().map(|app| (passes(app), app)).collect() }
    }

    /// The apps that pass every filter.
    fn all(&self) -> impl Iterator<Item = &'q AppFacts<'a>> {
        self.apps.iter().filter(|(passes, _)| passes.iter().all(|passes| *passes)).map(|(_, app)| *app)
    }

    /// The apps that pass every filter but those of one kind. Apps that left count only where they were asked for.
    fn but(&self, kind: usize) -> impl Iterator<Item = &'q AppFacts<'a>> {
        let passes = move |passes: &[bool; KINDS]| (0..KINDS).all(|other| other == kind || passes[other]);
        self.apps.iter().filter(move |(of, _)| passes(of)).map(|(_, app)| *app)
    }

    fn facets(&self) -> Facets {
        let FleetQuery { policies, subscriptions, resource_groups, conditions, causes, .. } = self.query;
        let text = |value: &str| if value.is_empty() { "no policy".to_owned() } else { value.to_owned() };
        let mut by_condition = counts(self.but(CONDITION).map(|app| Some(app.condition)), conditions);
        by_condition.sort_by_key(|(condition, _)| *condition);
        let causes_found = by_count(counts(self.but(CAUSE).map(AppFacts::cause), causes));
        let texts = |kind: usize, value: fn(&'a AppStatus) -> &'a str, wanted: &BTreeSet<String>| {
            let wanted_texts: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
            let counted = counts(self.but(kind).map(|app| Some(value(app.status))), &wanted_texts);
            by_count(counted)
                .into_iter()
                .map(|(value, count)| Facet {
                    value: value.to_owned(),
                    label: text(value),
                    count,
                    is_selected: wanted.contains(value),
                })
                .collect()
        };
        Facets {
            conditions: by_condition
                .into_iter()
                .map(|(condition, count)| Facet {
                    value: condition.as_str().to_owned(),
                    label: condition.label().to_owned(),
                    count,
                    is_selected: conditions.contains(&condition),
                })
                .collect(),
            causes: causes_found
                .into_iter()
                .map(|(cause, count)| Facet {
                    value: Cause::as_str(cause).to_owned(),
                    label: cause_advice::label(cause).to_owned(),
                    count,
                    is_selected: causes.contains(&cause),
                })
                .collect(),
            policies: texts(POLICY, policy, policies),
            subscriptions: texts(SUBSCRIPTION, |status| status.app.subscription().as_str(), subscriptions),
            resource_groups: texts(GROUP, |status| status.app.resource_group(), resource_groups),
            tags: tag_facet::of(self.all().map(|app| app.status), &self.query.tags),
        }
    }
}

/// How many apps have each value. Values that the query has are among them, even without an app.
fn counts<T: Ord + Copy>(values: impl Iterator<Item = Option<T>>, selected: &BTreeSet<T>) -> Vec<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = selected.iter().map(|value| (*value, 0)).collect();
    for value in values.flatten() {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// The most frequent first; equal ones stay in their order.
fn by_count<T>(mut counts: Vec<(T, usize)>) -> Vec<(T, usize)> {
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn policy(status: &AppStatus) -> &str {
    status.policy.as_ref().map_or("", PolicyName::as_str)
}

fn has_words(status: &AppStatus, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let (name, group) = (status.app.short_name(), status.app.resource_group());
    let text = format!("{name} {group} {} {}", policy(status), status.app.subscription()).to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// The place of a row in an order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    first: i64,
    second: i64,
    name: String,
    app: std::borrow::Cow<'a, AppId>,
}

impl<'a> Key<'a> {
    fn of(app: &AppFacts<'a>, sort: Sort, reading: &FleetReading) -> Self {
        let status = app.status;
        let millis = |at: Option<Timestamp>| at.map(|at| at.timestamp_millis());
        let recovery_point = millis(status.last_good_at).unwrap_or(i64::MIN);
        let (first, second) = match sort {
            Sort::Worst => (app.condition as i64, recovery_point),
            Sort::Name => (0, 0),
            Sort::Age => (recovery_point, 0),
            Sort::NextTick => (millis(status.next_tick).unwrap_or(i64::MAX), 0),
            Sort::Sas => (millis(status.sas_expiry).unwrap_or(i64::MAX), 0),
            Sort::Proven => (millis(status.proven_at).unwrap_or(i64::MIN), 0),
            Sort::Size => (last_bytes(reading.days_of(&status.app)).map_or(i64::MAX, i64::saturating_neg), 0),
        };
        Self { first, second, name: status.app.short_name(), app: std::borrow::Cow::Borrowed(&status.app) }
    }
}

fn order(a: &Key<'_>, b: &Key<'_>, reverse: bool) -> Ordering {
    if reverse { b.cmp(a) } else { a.cmp(b) }
}

/// What a cursor stands for: an order, and the key of the last row of a page.
struct Place {
    sort: String,
    reverse: bool,
    first: i64,
    second: i64,
    app: AppId,
}

impl Place {
    fn of(key: &Key<'_>, query: &FleetQuery) -> Self {
        let (sort, reverse) = (query.sort.as_str().to_owned(), query.reverse);
        Self { sort, reverse, first: key.first, second: key.second, app: key.app.clone().into_owned() }
    }

    fn encode(&self) -> String {
        cursor::encode(&(&self.sort, self.reverse, self.first, self.second, &self.app))
    }

    /// The place of a cursor, which must be of the query's order.
    fn decode(text: &str, query: &FleetQuery) -> Result<Self, Error> {
        let (sort, reverse, first, second, app): (String, bool, i64, i64, AppId) = cursor::decode(text)?;
        if sort != query.sort.as_str() || reverse != query.reverse {
            return Err(cursor::invalid());
        }
        Ok(Self { sort, reverse, first, second, app })
    }

    fn key(&self) -> Key<'_> {
        let (first, second, name) = (self.first, self.second, self.app.short_name());
        Key { first, second, name, app: std::borrow::Cow::Borrowed(&self.app) }
    }
}

fn last_bytes(marks: &[DayMark]) -> Option<i64> {
    marks.iter().rev().find_map(|mark| mark.bytes)
}

fn row(app: &AppFacts<'_>, reading: &FleetReading) -> FleetRow {
    let (status, marks) = (app.status, reading.days_of(&app.status.app));
    FleetRow {
        app: status.app.clone(),
        name: status.app.short_name(),
        policy: status.policy.clone(),
        tags: status.tags.clone(),
        condition: app.condition,
        severity: app.condition.severity(),
        cause: app.cause(),
        paused: status.is_paused(),
        last_good_at: status.last_good_at,
        objective_s: status.recovery_point_objective.map(|objective| objective.as_secs()),
        age_permille: age_permille(status, reading.at),
        days: strip(marks, reading.at, DAYS),
        last_bytes: last_bytes(marks),
        sizes: marks.iter().filter_map(|mark| mark.bytes).collect(),
        next_tick: status.next_tick,
        sas_expiry: status.sas_expiry,
        sas: app.sas,
        proven_at: status.proven_at,
        running: status.running,
    }
}
