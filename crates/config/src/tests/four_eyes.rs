use std::time::Duration;

use super::*;

#[test]
fn what_a_second_person_confirms_arrives_and_an_unknown_word_is_named_with_its_place() {
    let with = |control: &str| look(&format!("{EXAMPLE}\n[control]\n{control}\n"));
    let none = look(EXAMPLE).fleet.unwrap().four_eyes;
    assert_eq!((none.restore, none.delete, none.expire), (false, false, Duration::from_hours(24)));
    let fleet = with("four_eyes = [\"restore\", \"delete\"]\nfour_eyes_expire = \"2h\"").fleet.unwrap();
    let FourEyes { restore, delete, expire } = fleet.four_eyes;
    assert_eq!((restore, delete, expire), (true, true, Duration::from_hours(2)));
    let fleet = with("four_eyes = []").fleet.unwrap();
    assert_eq!(fleet.four_eyes, FourEyes::default());
    let wrong = errors(&format!("{EXAMPLE}\n[control]\nfour_eyes = [\"delete\", \"restores\"]\n"));
    assert!(
        wrong.iter().any(|e| e.contains(
            "`control.four_eyes[1]`: expected \"restore\" or \"delete\", found \"restores\"; did you mean `restore`?"
        )),
        "{wrong:?}"
    );
    assert!(with("four_eyes_expire = \"8 days\"").fleet.is_none(), "a week at most");
}
