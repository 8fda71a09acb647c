//! The facets of the fleet: what narrows the view, with how many apps each value leaves.

use holdfast_control::views::Condition;
use holdfast_control::views::fleet::{Facet, Facets, FleetQuery};
use holdfast_model::{Cause, TagFilter};

use crate::markup::{link, thousands};

/// Values of a facet that are shown. The selected ones are always shown.
const SHOWN: usize = 8;

/// A facet with its values.
pub struct Group {
    pub name: &'static str,
    pub facets: Vec<FacetShown>,
    pub more: usize,
}

/// A value of a facet.
pub struct FacetShown {
    pub label: String,
    pub count: String,
    pub href: String,
    pub is_selected: bool,
}

/// What a facet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Condition,
    Policy,
    Cause,
    Subscription,
    ResourceGroup,
    Tag,
}

/// The facets that have a choice.
pub fn groups(facets: &Facets, query: &FleetQuery) -> Vec<Group> {
    [
        ("State", Kind::Condition, &facets.conditions),
        ("Policy", Kind::Policy, &facets.policies),
        ("Cause", Kind::Cause, &facets.causes),
        ("Subscription", Kind::Subscription, &facets.subscriptions),
        ("Resource group", Kind::ResourceGroup, &facets.resource_groups),
        ("Tag", Kind::Tag, &facets.tags),
    ]
    .into_iter()
    .filter(|(_, _, values)| values.len() > 1 || values.iter().any(|value| value.is_selected))
    .map(|(name, kind, values)| group(name, values, (kind, query)))
    .collect()
}

fn group(name: &'static str, values: &[Facet], (kind, query): (Kind, &FleetQuery)) -> Group {
    let shown = |(index, value): &(usize, &Facet)| *index < SHOWN || value.is_selected;
    let facets: Vec<FacetShown> = values
        .iter()
        .enumerate()
        .filter(shown)
        .map(|(_, value)| FacetShown {
            label: value.label.clone(),
            count: thousands(value.count),
            href: link::fleet(&toggled(query, kind, &value.value)),
            is_selected: value.is_selected,
        })
        .collect();
    Group { name, more: values.len() - facets.len(), facets }
}

/// The view with the value added, or without it where it has it. The page starts again.
fn toggled(query: &FleetQuery, kind: Kind, value: &str) -> FleetQuery {
    let mut query = FleetQuery { after: None, ..query.clone() };
    match kind {
        Kind::Policy => toggle(&mut query.policies, value.to_owned()),
        Kind::Subscription => toggle(&mut query.subscriptions, value.to_owned()),
        Kind::ResourceGroup => toggle(&mut query.resource_groups, value.to_owned()),
        Kind::Tag => {
            if let Ok(tag) = value.parse::<TagFilter>() {
                toggle(&mut query.tags, tag);
            }
        }
        Kind::Condition => {
            if let Ok(condition) = value.parse::<Condition>() {
                toggle(&mut query.conditions, condition);
            }
        }
        Kind::Cause => {
            if let Ok(cause) = value.parse::<Cause>() {
                toggle(&mut query.causes, cause);
            }
        }
    }
    query
}

fn toggle<T: Ord>(set: &mut std::collections::BTreeSet<T>, value: T) {
    if !set.remove(&value) {
        set.insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facet(value: &str, is_selected: bool) -> Facet {
        Facet { value: value.into(), label: value.into(), count: 3, is_selected }
    }

    #[test]
    fn a_value_is_added_and_taken_away_and_the_first_page_is_shown() {
        let query = FleetQuery { after: Some("x".into()), ..FleetQuery::default() };
        let gold = toggled(&query, Kind::Policy, "gold");
        assert_eq!(gold.to_url(), "policy=gold");
        assert_eq!(toggled(&gold, Kind::Policy, "gold"), FleetQuery::default());
        assert_eq!(toggled(&gold, Kind::Condition, "failed").to_url(), "policy=gold&condition=failed");
        assert_eq!(toggled(&gold, Kind::Cause, "nonsense").to_url(), "policy=gold");
        assert_eq!(toggled(&gold, Kind::Tag, "team=a&b").to_url(), "policy=gold&tag=team%3Da%26b");
    }

    #[test]
    fn a_facet_shows_its_first_values_and_those_that_are_selected() {
        let mut values: Vec<Facet> = (0..20).map(|number| facet(&format!("g{number}"), false)).collect();
        values.push(facet("chosen", true));
        let facets = Facets { resource_groups: values, ..Facets::default() };
        let [group] = &groups(&facets, &FleetQuery::default())[..] else { panic!("one facet has a choice") };
        assert_eq!((group.facets.len(), group.more), (SHOWN + 1, 12));
        assert_eq!(group.facets[SHOWN].label, "chosen");
    }
}
