//! The facet of tags: which tags the apps of a view have, the most frequent first. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::TagFilter;
use holdfast_store::AppStatus;

use crate::views::fleet::Facet;

/// Tags that a facet has. Those of the query are always among them.
const SHOWN: usize = 50;

/// What the names of tags begin with that Azure's own services set, and its portal hides.
const HIDDEN: &str = "hidden-";

/// The tags of these apps, with those that were asked for.
///
/// All tags of a query must hold, so that a count is what remains where a tag is added.
pub(super) fn of<'a>(apps: impl Iterator<Item = &'a AppStatus>, wanted: &BTreeSet<TagFilter>) -> Vec<Facet> {
    let (mut counts, mut all): (BTreeMap<(&str, &str), usize>, usize) = (BTreeMap::new(), 0);
    for status in apps {
        all += 1;
        for tag in status.tags.iter().filter(|(name, _)| !name.starts_with(HIDDEN)) {
            *counts.entry(tag).or_default() += 1;
        }
    }
    let mut counts: Vec<((&str, &str), usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let found = counts.into_iter().map(|((name, value), count)| (TagFilter::new(name, value), count));
    let others = found.filter(|(filter, _)| !wanted.contains(filter)).take(SHOWN);
    let selected = wanted.iter().map(|filter| facet(filter, all, true));
    selected.chain(others.map(|(filter, count)| facet(&filter, count, false))).collect()
}

fn facet(filter: &TagFilter, count: usize, is_selected: bool) -> Facet {
    let value = filter.to_string();
    Facet { label: value.clone(), value, count, is_selected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::tests::fixture::good;

    fn tagged(name: &str, tags: &[(&str, &str)]) -> AppStatus {
        AppStatus { tags: tags.iter().copied().collect(), ..good(name) }
    }

    #[test]
    fn the_most_frequent_tags_come_first_after_those_that_were_asked_for() {
        let apps = [
            tagged("a", &[("Team", "shop"), ("env", "prod")]),
            tagged("b", &[("team", "shop"), ("env", "test"), ("hidden-link:x", "y")]),
            tagged("c", &[("TEAM", "shop"), ("env", "prod")]),
        ];
        let shown = |wanted: &[&str]| -> Vec<(String, usize, bool)> {
            let wanted = wanted.iter().map(|tag| tag.parse().unwrap()).collect();
            let facets = of(apps.iter(), &wanted).into_iter();
            facets.map(|facet| (facet.value, facet.count, facet.is_selected)).collect()
        };
        let row = |text: &str, count, is_selected| (text.to_owned(), count, is_selected);
        assert_eq!(
            shown(&[]),
            [row("team=shop", 3, false), row("env=prod", 2, false), row("env=test", 1, false)]
        );
        assert_eq!(
            shown(&["env=prod", "team"])[..2],
            [row("env=prod", 3, true), row("team", 3, true)],
            "the apps are those that match"
        );
    }

    #[test]
    fn tags_with_a_value_for_each_app_leave_the_facet_short() {
        let apps: Vec<AppStatus> =
            (0..200).map(|number| tagged("a", &[("made", number.to_string().as_str())])).collect();
        assert_eq!(of(apps.iter(), &BTreeSet::new()).len(), SHOWN);
    }
}
