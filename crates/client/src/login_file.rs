//! The file with the tokens of the user, one for each server.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use holdfast_control::{Error, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::address::ServerAddress;

/// The tokens of the user, in a file that only the user can read.
#[derive(Debug, Clone)]
pub struct LoginFile(PathBuf);

/// What the file holds: for each server its login. It has no `Debug`, because it holds secrets.
#[derive(Default, Deserialize, Serialize)]
struct Logins(BTreeMap<String, Login>);

#[derive(Deserialize, Serialize)]
struct Login {
    token: String,
}

impl LoginFile {
    /// The file in the configuration folder of the user: `$XDG_CONFIG_HOME/holdfast`, or `~/.config/holdfast`.
    pub fn of_user(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // A relative path would be another folder for each command (XDG Base Directory Specification).
        let folder = set("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(set("HOME").or_else(|| set("USERPROFILE"))?.join(".config")));
        let none = || Error::new(ErrorKind::Invalid, "there is no configuration folder: HOME is not set");
        Ok(Self(folder.ok_or_else(none)?.join("holdfast").join("logins.json")))
    }

    /// The file at a path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The token for a server, where there is one.
    pub fn token(&self, address: &ServerAddress) -> Result<Option<SecretString>, Error> {
        Ok(self.read()?.0.remove(&address.to_string()).map(|login| login.token.into()))
    }

    /// Keeps the token for a server in place of an older one.
    pub fn keep(&self, address: &ServerAddress, token: &SecretString) -> Result<(), Error> {
        let mut logins = self.read()?;
        let token = token.expose_secret().to_owned();
        logins.0.insert(address.to_string(), Login { token });
        self.write(&logins)
    }

    /// Removes the token for a server; false where there is none.
    pub fn forget(&self, address: &ServerAddress) -> Result<bool, Error> {
        let mut logins = self.read()?;
        let was_there = logins.0.remove(&address.to_string()).is_some();
        if was_there {
            self.write(&logins)?;
        }
        Ok(was_there)
    }

    fn read(&self) -> Result<Logins, Error> {
        let mut file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Logins::default()),
            Err(error) => return Err(self.failed("read", &error)),
        };
        require_private(&file).map_err(|why| {
            let path = self.0.display();
            let what = format!("the file of logins {path} {why}, so its tokens are not used");
            Error::new(ErrorKind::Refused, what).help(format!("`chmod 600 {path}`, and log in again"))
        })?;
        // The message of a parser may quote what it read, and this holds tokens.
        serde_json::from_reader(io::BufReader::new(&mut file)).map_err(|_| {
            let what = format!("the file of logins {} cannot be read", self.0.display());
            Error::new(ErrorKind::Invalid, what).help("remove it, and log in again")
        })
    }

    /// Replaces the file in one step, so that a crash leaves the old or the new one.
    fn write(&self, logins: &Logins) -> Result<(), Error> {
        let written = || -> io::Result<()> {
            let folder = self.0.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let new = self.0.with_extension(format!("{}.new", std::process::id()));
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&new)?;
            serde_json::to_writer(&mut file, logins)?;
            file.flush()?;
            file.sync_all()?;
            fs::rename(&new, &self.0)
        };
        written().map_err(|error| self.failed("written", &error))
    }

    fn failed(&self, what: &str, error: &io::Error) -> Error {
        let path = self.0.display();
        Error::new(ErrorKind::Invalid, format!("the file of logins {path} cannot be {what}: {error}"))
    }
}

/// Refuses a file that others can read or write.
#[cfg(unix)]
fn require_private(file: &File) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt as _;
    let of_others = file.metadata().map_or(0o77, |metadata| metadata.mode()) % 0o100;
    if of_others == 0 { Ok(()) } else { Err("can be read by other users") }
}

#[cfg(not(unix))]
fn require_private(_: &File) -> Result<(), &'static str> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_token_in_a_file_of_the_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = LoginFile::at(folder.path().join("new/logins.json"));
        let (one, two) = (
            ServerAddress::parse("https://one.example").unwrap(),
            ServerAddress::parse("https://two.example").unwrap(),
        );
        assert!(file.token(&one).unwrap().is_none() && !file.forget(&one).unwrap());
        file.keep(&one, &SecretString::from("hf_1")).unwrap();
        file.keep(&two, &SecretString::from("hf_2")).unwrap();
        file.keep(&one, &SecretString::from("hf_3")).unwrap();
        assert_eq!(file.token(&one).unwrap().unwrap().expose_secret(), "hf_3");
        assert!(file.forget(&one).unwrap() && file.token(&one).unwrap().is_none());
        assert_eq!(file.token(&two).unwrap().unwrap().expose_secret(), "hf_2");
        let left: Vec<_> = fs::read_dir(folder.path().join("new")).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_and_so_is_one_that_is_no_list_of_logins() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = LoginFile::at(folder.path().join("logins.json"));
        let address = ServerAddress::parse("https://one.example").unwrap();
        file.keep(&address, &SecretString::from("hf_1")).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(file.token(&address).unwrap_err().to_string().contains("can be read by other users"));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(file.path(), "{\"https://one.example\": {\"token\": 7}, \"hf_secret").unwrap();
        let error = file.token(&address).unwrap_err().to_string();
        assert!(error.contains("cannot be read") && !error.contains("hf_secret"), "{error}");
    }

    #[test]
    fn the_folder_is_that_of_the_user() {
        let of = |given: &'static [(&str, &str)]| {
            let variable = move |name: &str| {
                given.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned())
            };
            LoginFile::of_user(variable).map(|file| file.path().display().to_string())
        };
        assert_eq!(of(&[("HOME", "/home/ann")]).unwrap(), "/home/ann/.config/holdfast/logins.json");
        let both = &[("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "/etc/ann")];
        assert_eq!(of(both).unwrap(), "/etc/ann/holdfast/logins.json");
        assert!(of(&[]).is_err());
    }
}
