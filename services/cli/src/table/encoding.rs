//! The text of a file, whatever it was written in: only what is sure is guessed.

use encoding_rs::{Encoding as Coding, UTF_16BE, UTF_16LE, WINDOWS_1251};

/// How a text file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[value(name = "utf-8")]
    Utf8,
    /// UTF-16, little-endian unless a byte order mark says otherwise.
    #[value(name = "utf-16")]
    Utf16,
    /// Cyrillic of Windows.
    #[value(name = "windows-1251")]
    Windows1251,
}

/// The text of a file. Without an encoding it is UTF-8, or the UTF-16 that a byte order mark announces.
pub(crate) fn text(bytes: Vec<u8>, encoding: Option<Encoding>) -> Result<String, String> {
    let (coding, bytes): (&'static Coding, Vec<u8>) = match (encoding, Coding::for_bom(&bytes)) {
        (None | Some(Encoding::Utf8 | Encoding::Utf16), Some((coding, length))) => (coding, bytes[length..].to_vec()),
        (Some(Encoding::Utf16), None) => (UTF_16LE, bytes),
        (Some(Encoding::Windows1251), _) => (WINDOWS_1251, bytes),
        (None | Some(Encoding::Utf8), None) => return in_utf8(bytes, encoding.is_some()),
    };
    let text = coding.decode_without_bom_handling_and_without_replacement(&bytes);
    text.map(|text| text.into_owned())
        .ok_or_else(|| format!("it is not {}", coding.name()))
}

fn in_utf8(bytes: Vec<u8>, is_said: bool) -> Result<String, String> {
    // Half of the bytes of Latin text in UTF-16 are nought, and no other text has any.
    if bytes.contains(&0) {
        let coding = if bytes.first() == Some(&0) { UTF_16BE } else { UTF_16LE };
        return Err(format!(
            "it seems to be {} without a byte order mark: give --encoding utf-16",
            coding.name()
        ));
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    if is_said {
        return Err(format!("row {line} is not UTF-8"));
    }
    Err(format!(
        "row {line} is not UTF-8: if it is written in Cyrillic of Windows, give --encoding windows-1251, else save it as UTF-8"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_says_how_a_file_is_written_and_windows_1251_is_said_by_the_caller() {
        let units = |of: fn(u16) -> [u8; 2]| "\u{feff}Кражи;1".encode_utf16().flat_map(of).collect::<Vec<u8>>();
        for bytes in [
            "\u{feff}Кражи;1".as_bytes().to_vec(),
            units(u16::to_le_bytes),
            units(u16::to_be_bytes),
        ] {
            assert_eq!(text(bytes, None).as_deref(), Ok("Кражи;1"));
        }
        let windows = b"\xca\xf0\xe0\xe6\xe8;1".to_vec();
        assert_eq!(
            text(windows.clone(), Some(Encoding::Windows1251)).as_deref(),
            Ok("Кражи;1")
        );
        assert!(text(windows.clone(), None).is_err_and(|told| told.contains("row 1") && told.contains("windows-1251")));
        assert!(text(windows, Some(Encoding::Utf8)).is_err());
        let unmarked: Vec<u8> = "a;1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(unmarked.clone(), Some(Encoding::Utf16)).as_deref(), Ok("a;1"));
        assert!(text(unmarked, None).is_err_and(|told| told.contains("UTF-16")));
    }
}
