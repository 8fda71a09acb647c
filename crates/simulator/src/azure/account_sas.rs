//! Checks a SAS of an account, by the public layout. It is taken for the creation of a container alone.

use super::sas::{Refusal, SasUse, check_protocol, check_times, fields, verify};

/// The fields of the signed text behind the account's name, in order.
const SIGNED: [&str; 9] = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses"];

/// Checks the SAS in `query`. The signature is checked before the fields that it covers.
pub(super) fn check(key: &[u8], query: &str, asked: &SasUse<'_>) -> Result<(), Refusal> {
    let fields = fields(query)?;
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    if field("sig").is_empty() {
        return Err(Refusal::Missing);
    }
    if field("srt").is_empty() || field("sv") < "2020-12-06" {
        return Err(Refusal::Malformed);
    }
    let lines = SIGNED.map(field).join("\n");
    verify(key, &format!("{}\n{lines}\n", asked.account), field("sig"))?;
    check_times(field("st"), field("se"), asked.at)?;
    check_protocol(field("spr"), asked.https)?;
    if !field("ss").contains('b') || !field("srt").contains('c') {
        return Err(Refusal::Resource);
    }
    let is_given = |letters: &&str| letters.chars().any(|letter| field("sp").contains(letter));
    if asked.permissions.iter().all(is_given) { Ok(()) } else { Err(Refusal::Permission) }
}
