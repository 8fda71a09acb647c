//! The inputs of a target: well-formed ones as a start, and those that failed once.

use std::path::PathBuf;

use crate::targets::Target;

/// The inputs of a target.
pub struct Corpus {
    folder: PathBuf,
    inputs: Vec<Vec<u8>>,
}

impl Corpus {
    /// The seeds of the target and the files of its folder.
    pub fn read(target: &Target) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name);
        let mut inputs: Vec<Vec<u8>> = target.seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
        files.sort();
        inputs.extend(files.iter().map(|file| std::fs::read(file).unwrap()));
        Self { folder, inputs }
    }

    /// All inputs.
    pub fn inputs(&self) -> &[Vec<u8>] {
        &self.inputs
    }

    /// Writes an input that failed, and returns the file's name.
    pub fn keep(&self, input: &[u8]) -> String {
        let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let path = self.folder.join(format!("{hash:016x}"));
        std::fs::create_dir_all(&self.folder).unwrap();
        std::fs::write(&path, input).unwrap();
        path.display().to_string()
    }
}
