//! An entry of `exclude` in a discover rule.

use holdfast_model::{AppId, fold_case};

/// An app that a discover rule leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// The app of this ARM id.
    App(AppId),
    /// Every app of this short name, such as `shop` or `shop/staging`, in lower case.
    Name(String),
}

/// The text can be no app. Holds the text to write instead, where that is clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidExclusion(pub Option<String>);

impl Exclusion {
    /// Parses an ARM id or a short name.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidExclusion> {
        let meant = meant(text);
        let parsed = if meant.starts_with('/') {
            meant.parse().ok().map(Self::App)
        } else {
            is_short_name(&meant).then(|| Self::Name(fold_case(&meant)))
        };
        match parsed {
            Some(exclusion) if meant == text => Ok(exclusion),
            parsed => Err(InvalidExclusion(parsed.map(|_| meant))),
        }
    }

    /// Whether it leaves out this app.
    pub fn leaves_out(&self, id: &AppId) -> bool {
        match self {
            Self::App(excluded) => excluded == id,
            Self::Name(name) => *name == fold_case(&id.short_name()),
        }
    }

    /// Whether it leaves out a deployment slot.
    pub(crate) fn is_slot(&self) -> bool {
        match self {
            Self::App(id) => id.slot().is_some(),
            Self::Name(name) => name.contains('/'),
        }
    }
}

/// The text without blanks, the slashes at its end, and what stands before an ARM id or after an app's name.
fn meant(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    let folded = text.to_ascii_lowercase();
    if let Some(at) = folded.find("subscriptions/") {
        return format!("/{}", &text[at..]);
    }
    let host = text.strip_prefix("https://").unwrap_or(text);
    let name = host.find(".azurewebsites.").map_or(text, |end| &host[..end]);
    name.strip_suffix("/production").unwrap_or(name).to_owned()
}

/// Whether it is `SITE` or `SITE/SLOT`.
fn is_short_name(text: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    text.split('/').count() <= 2 && text.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop";

    #[test]
    fn an_arm_id_and_a_short_name_leave_out_their_app_in_any_case() {
        let shop: AppId = ID.parse().unwrap();
        let slot: AppId = format!("{ID}/slots/staging").parse().unwrap();
        for (text, id, leaves_out) in [
            (ID.to_owned(), &shop, true),
            (ID.to_uppercase(), &shop, true),
            (ID.to_owned(), &slot, false),
            ("Shop".to_owned(), &shop, true),
            ("shop".to_owned(), &slot, false),
            ("shop/Staging".to_owned(), &slot, true),
        ] {
            assert_eq!(Exclusion::parse(&text).unwrap().leaves_out(id), leaves_out, "{text} {id}");
        }
    }

    #[test]
    fn what_can_be_no_app_is_refused_with_what_was_meant() {
        for (text, meant) in [
            (format!("{ID}/"), Some(ID)),
            (ID[1..].to_owned(), Some(ID)),
            (format!(" {ID}"), Some(ID)),
            (format!("https://management.azure.com{ID}"), Some(ID)),
            (format!("https://portal.azure.com/#@contoso.com/resource{ID}"), Some(ID)),
            ("shop/".to_owned(), Some("shop")),
            (" shop".to_owned(), Some("shop")),
            ("shop/production".to_owned(), Some("shop")),
            ("shop.azurewebsites.net".to_owned(), Some("shop")),
            ("https://shop.azurewebsites.net/".to_owned(), Some("shop")),
            ("shop-*".to_owned(), None),
            ("shops/shop/staging".to_owned(), None),
            ("/subscriptions/0a0a/resourceGroups/shops".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(Exclusion::parse(&text), Err(InvalidExclusion(meant.map(str::to_owned))), "{text}");
        }
    }
}
