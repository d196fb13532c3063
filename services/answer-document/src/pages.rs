//! What a person sees of a PDF, by programs that are not ours: poppler reads its text, renders its pages and lists its fonts.
//!
//! Where they are missing the tests say so and look at nothing; with `LEGALSTAT_PDF_TOOLS=required`, as continuous integration sets
//! it, they fail instead.

use std::{
    collections::HashSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    Format, RENDERING,
    answer::{Document, Figure, Language},
    render_as, shown,
    tests::{answer, document, figure, words},
};

/// Every letter that Kazakh has beside the Russian ones, large and small.
const KAZAKH: &str = "ӘәҒғҚқҢңӨөҰұҮүҺһІі";
/// How many rows fill three pages and begin a fourth.
const ROWS: usize = 140;
/// Pixels to an inch; a page is then 331 by 468.
const RESOLUTION: &str = "40";
/// What no printer reaches is left white: half a centimetre, in pixels.
const MARGIN: usize = 8;

/// The statuses of figures that have notes.
const NOTES: [&str; 17] = [
    "B", "D", "E", "F", "G", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "S", "U", "V",
];

/// How far a cell's text stands from the lines around it, in points.
const INSET: f64 = 4.0;

/// Whether poppler is here; if not, that is said.
fn can_look() -> bool {
    let is_there = |tool: &&str| {
        Command::new(tool)
            .arg("-v")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let missing: Vec<&str> = ["pdftotext", "pdftoppm", "pdffonts", "pdfinfo"]
        .into_iter()
        .filter(|tool| !is_there(tool))
        .collect();
    if missing.is_empty() {
        return true;
    }
    let required = std::env::var_os("LEGALSTAT_PDF_TOOLS").is_some_and(|given| given == "required");
    assert!(!required, "{missing:?} are not installed (poppler-utils)");
    // Not by a macro, which the test's own output would hide.
    writeln!(
        std::io::stderr(),
        "skipped: the pages are not looked at, because {missing:?} are not installed (poppler-utils)"
    )
    .ok();
    false
}

/// A document in a folder of its own.
struct Printed {
    folder: tempfile::TempDir,
}

impl Printed {
    fn of(document: &Document) -> Self {
        Self::of_rendering(document, RENDERING)
    }

    fn of_rendering(document: &Document, rendering: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = render_as(document, Format::Pdf, rendering).expect("it is an ordinary answer");
        std::fs::write(folder.path().join("answer.pdf"), bytes).expect("the folder is ours");
        Self { folder }
    }

    fn run(&self, tool: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(tool);
        let output = command
            .current_dir(self.folder.path())
            .args(arguments)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{tool}: {said}");
        String::from_utf8(output.stdout).expect("it writes UTF-8")
    }

    /// What pdfinfo tells. It complains of what it does not know of a structure, of colours of borders say, and writes headings in an
    /// encoding of its own.
    fn described(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("pdfinfo");
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .arg("answer.pdf");
        let output = command.output().expect("it runs");
        assert!(
            output.status.success(),
            "pdfinfo: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The text of every page, as it is written in it.
    fn texts(&self) -> Vec<String> {
        let all = self.run("pdftotext", &["-raw", "-enc", "UTF-8", "answer.pdf", "-"]);
        let mut pages: Vec<String> = all.split('\u{c}').map(str::to_owned).collect();
        assert_eq!(pages.pop().as_deref(), Some(""), "every page is ended");
        pages
    }

    /// Every page as rows of grey, white being 255.
    fn images(&self) -> Vec<Vec<Vec<u8>>> {
        self.run("pdftoppm", &["-gray", "-r", RESOLUTION, "answer.pdf", "page"]);
        let files = std::fs::read_dir(self.folder.path()).expect("the folder is ours");
        let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "pgm"));
        files.sort();
        files.iter().map(|file| pixels(file)).collect()
    }
}

/// The rows of a grey image: `P5`, width, height and the brightest, each behind a blank, and then a byte for each pixel.
fn pixels(file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).expect("it was written");
    let mut parts = bytes.splitn(4, u8::is_ascii_whitespace);
    assert_eq!(parts.next(), Some(&b"P5"[..]), "a grey image");
    let mut number = || {
        let text = std::str::from_utf8(parts.next().expect("a number")).expect("digits");
        text.parse::<usize>().expect("a number")
    };
    let (width, height) = (number(), number());
    let grey = bytes
        .get(bytes.len() - width * height..)
        .expect("a byte for each pixel");
    grey.chunks(width).map(<[u8]>::to_vec).collect()
}

/// Without what lines and columns put between.
fn joined(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Every text that a document shows, in its own order.
fn written(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| written(value, texts)),
        Value::Object(fields) => {
            // Headings are looked for apart; the value as it is stored is for the workbook.
            let shown = fields
                .iter()
                .filter(|(name, _)| !["labels", "exact", "language", "date"].contains(&name.as_str()));
            shown.for_each(|(_, value)| written(value, texts));
        }
        _ => {}
    }
}

/// A figure that no other one is like.
fn row(place: usize) -> Figure {
    let mut row = figure("11", "2026-M01", &format!("{}", 100_001 + place * 7));
    row.territory.code = format!("{}", 1_000 + place);
    row.territory.title = words(
        &format!("№ {place} аудан {KAZAKH}"),
        &format!("Район № {place} Ёё"),
        &format!("District No. {place}"),
    );
    row
}

fn over_several_pages(language: Language) -> Document {
    let mut long = document(language);
    long.answer = answer();
    long.answer.opening = format!("{KAZAKH} ЁёЪъЫыЭэ — «…» № 5");
    long.answer.items[0].figures = (0..ROWS).map(row).collect();
    long
}

#[test]
fn what_is_written_is_what_another_program_reads_on_the_pages_in_every_language() {
    if !can_look() {
        return;
    }
    for language in Language::ALL {
        let document = over_several_pages(language);
        let sheet = shown::sheet(&document, &crate::digest(&crate::canonical(&document.answer)));
        let text = joined(&Printed::of(&document).texts().concat());
        let mut texts = Vec::new();
        written(&serde_json::to_value(&sheet).expect("it is texts"), &mut texts);
        assert!(texts.len() > ROWS * 4, "{}", texts.len());
        for written in texts {
            assert!(
                text.contains(&joined(&written)),
                "{language:?}: {written:?} is not on the pages"
            );
        }
        assert!(text.contains(KAZAKH), "{language:?}");
        assert!(
            !text.contains('\u{fffd}') && !text.contains("<U+"),
            "{language:?}: a glyph is missing"
        );
    }
}

#[test]
fn a_table_over_several_pages_has_its_header_on_each_and_every_row_once_in_order() {
    if !can_look() {
        return;
    }
    for language in Language::ALL {
        let document = over_several_pages(language);
        let digest = crate::digest(&crate::canonical(&document.answer));
        let sheet = shown::sheet(&document, &digest);
        let pages: Vec<String> = Printed::of(&document).texts().iter().map(|page| joined(page)).collect();
        let rows: Vec<String> = sheet.items[0]
            .rows
            .iter()
            .map(|row| joined(&format!("{}{}{}", row.territory, row.period, row.value)))
            .collect();
        let header = joined(&format!(
            "{}{}{}",
            sheet.labels.indicator, sheet.labels.territory, sheet.labels.period
        ));
        let of_page = |page: &String| rows.iter().filter(|row| page.contains(row.as_str())).count();
        let on_pages = pages.iter().filter(|page| of_page(page) > 0);
        assert!(on_pages.clone().count() >= 3, "{language:?}: {} pages", pages.len());
        for page in on_pages {
            assert!(
                page.contains(&header),
                "{language:?}: a page of the table without its header: {page}"
            );
        }
        for (number, page) in pages.iter().enumerate() {
            assert!(page.contains(&digest), "{language:?}: page {number} bears the digest");
        }
        let (all, mut behind) = (pages.concat(), 0);
        for row in &rows {
            assert_eq!(all.matches(row.as_str()).count(), 1, "{language:?}: {row}");
            let place = all.find(row.as_str()).expect("it is there");
            assert!(place >= behind, "{language:?}: {row} is out of order");
            behind = place;
        }
    }
}

#[test]
fn every_page_is_rendered_with_something_on_it_and_nothing_in_its_margins_and_every_font_is_embedded() {
    if !can_look() {
        return;
    }
    for language in Language::ALL {
        let printed = Printed::of(&over_several_pages(language));
        let images = printed.images();
        assert_eq!(images.len(), printed.texts().len());
        for (number, image) in images.iter().enumerate() {
            let (height, width) = (image.len(), image[0].len());
            let is_margin = |row: usize, column: usize| {
                row < MARGIN || row >= height - MARGIN || column < MARGIN || column >= width - MARGIN
            };
            let mut dark = 0;
            for (place, row) in image.iter().enumerate() {
                for (column, grey) in row.iter().enumerate().filter(|(_, grey)| **grey < 200) {
                    assert!(
                        !is_margin(place, column),
                        "{language:?}, page {number}: {grey} at {place}, {column}"
                    );
                    dark += 1;
                }
            }
            let part = f64::from(dark) / (height * width) as f64;
            assert!(
                (0.002..0.5).contains(&part),
                "{language:?}, page {number}: {part} of it is dark"
            );
        }
        let fonts = printed.run("pdffonts", &["answer.pdf"]);
        let lines: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(!lines.is_empty(), "{fonts}");
        for line in lines {
            // Embedded, a subset of it, and with the characters of its glyphs.
            let flags: Vec<&str> = line
                .split_whitespace()
                .filter(|word| ["yes", "no"].contains(word))
                .collect();
            assert_eq!(flags, ["yes", "yes", "yes"], "{fonts}");
        }
    }
}

/// The kinds of the elements of a page's structure, in the order in which they are read.
fn structure(printed: &Printed) -> Vec<String> {
    let tree = printed.described(&["-struct"]);
    let kinds = tree.lines().filter_map(|line| line.split_whitespace().next());
    kinds.map(|kind| kind.trim_end_matches(':').to_owned()).collect()
}

#[test]
fn a_program_that_reads_pages_aloud_finds_title_language_headings_and_the_header_of_each_table() {
    if !can_look() {
        return;
    }
    for language in Language::ALL {
        let document = over_several_pages(language);
        let sheet = shown::sheet(&document, "");
        let printed = Printed::of(&document);
        let told = printed.described(&[]);
        let of = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        assert_eq!(of("Tagged:"), Some("yes"), "{told}");
        assert_eq!(of("Title:"), Some(sheet.title.as_str()), "{told}");
        let declared = joined(&printed.described(&["-meta"]));
        for part in [
            "<pdfaid:part>3</pdfaid:part>",
            "<pdfaid:conformance>A</pdfaid:conformance>",
            "<pdfuaid:part>1</pdfuaid:part>",
            &format!("<rdf:li>{}</rdf:li>", sheet.language),
        ] {
            assert!(declared.contains(part), "{part}: {declared}");
        }
        let kinds = structure(&printed);
        let count = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
        let tables = sheet.items.iter().filter(|item| !item.rows.is_empty()).count();
        let rows: usize = sheet.items.iter().map(|item| item.rows.len()).sum();
        assert_eq!((count("H1"), count("Table")), (1, tables), "{language:?}");
        assert_eq!(
            count("TR"),
            rows + tables,
            "{language:?}: each row once, and one header of each table"
        );
        // What a header says on the pages behind the first is not read again.
        assert_eq!(
            count("TH") * rows,
            count("TD") * tables,
            "{language:?}: every column has its header"
        );
    }
}

/// Every word of a document, with its page and its left, top, right and bottom edge in points.
fn words_on_pages(printed: &Printed) -> Vec<(usize, String, [f64; 4])> {
    let boxes = printed.run("pdftotext", &["-bbox", "answer.pdf", "-"]);
    let (mut page, mut words) = (0, Vec::new());
    for line in boxes.lines() {
        page += usize::from(line.contains("<page "));
        let Some((edges, text)) = line.trim().strip_prefix("<word ").and_then(|word| word.split_once('>')) else {
            continue;
        };
        let edges: Vec<f64> = edges.split('"').filter_map(|part| part.parse().ok()).collect();
        let edges = edges.try_into().expect("four edges");
        words.push((page, text.trim_end_matches("</word>").to_owned(), edges));
    }
    words
}

/// An answer whose figures have every note that there is.
fn of_all_notes(language: Language, has_breakdown: bool) -> Document {
    let mut document = document(language);
    let with = document.answer.items[0].figures[3].clone();
    let figures = NOTES.iter().map(|status| {
        let mut figure = with.clone();
        figure.status = (*status).into();
        if !has_breakdown {
            figure.breakdown.clear();
        }
        figure
    });
    document.answer.items[0].figures = figures.collect();
    document
}

/// Two words of a document of which one stands over the other.
fn overlapping(printed: &Printed) -> Option<(String, String)> {
    let words = words_on_pages(printed);
    assert!(words.len() > NOTES.len() * 5, "{} words", words.len());
    for (at, (page, word, [left, top, right, bottom])) in words.iter().enumerate() {
        for (other_page, other, [from, above, to, below]) in &words[at + 1..] {
            let across = right.min(*to) - left.max(*from);
            // Lines stand close to each other.
            let along = bottom.min(*below) - top.max(*above);
            if page == other_page && across > 0.5 && along > (bottom - top) / 2.0 {
                return Some((word.clone(), other.clone()));
            }
        }
    }
    None
}

/// A word of a note that stands over the line between its column and that of the sources, which is the last one.
fn beyond_its_column(document: &Document, printed: &Printed) -> Option<String> {
    let shown = serde_json::to_value(shown::sheet(document, "")).expect("it is shown");
    let rows = shown["items"][0]["rows"].as_array().expect("it has rows");
    let notes: HashSet<&str> = rows
        .iter()
        .flat_map(|row| row["note"].as_str().unwrap_or_default().split_whitespace())
        .collect();
    let label = |name: &str| shown["labels"][name].as_str().expect("it is a label");
    let words = words_on_pages(printed);
    // The table has its header on each page.
    let headers = words.iter().filter(|(_, word, _)| word == label("note"));
    let headers: Vec<_> = headers
        .filter_map(|(page, _, [note, top, ..])| {
            let of_row = |edges: &[f64; 4]| (edges[1] - top).abs() < 1.0 && edges[0] > *note;
            let (_, _, [source, ..]) = words
                .iter()
                .find(|(other, word, edges)| other == page && word == label("source") && of_row(edges))?;
            Some((page, *top, *note, source - INSET))
        })
        .collect();
    assert!(!headers.is_empty(), "the table has a column of notes");
    let mut looked_at = 0;
    for (page, word, [left, top, right, _]) in &words {
        let column = headers.iter().find(|(of, above, ..)| *of == page && above < top);
        let Some((_, _, from, line)) = column.filter(|(_, _, from, line)| left >= &(from - 1.0) && left < line) else {
            continue;
        };
        if notes.contains(word.as_str()) {
            assert!(left >= from, "{word:?} begins in the column before");
            looked_at += 1;
            if right > line {
                return Some(word.clone());
            }
        }
    }
    assert!(looked_at >= NOTES.len(), "{looked_at} words of notes");
    None
}

/// Every kind of answer with notes.
fn with_notes() -> Vec<Document> {
    let kinds = Language::ALL
        .into_iter()
        .flat_map(|language| [(language, false), (language, true)]);
    kinds
        .map(|(language, has_breakdown)| of_all_notes(language, has_breakdown))
        .collect()
}

#[test]
fn no_word_stands_over_another_one_or_its_column_whatever_the_notes_of_figures_are() {
    if !can_look() {
        return;
    }
    for document in with_notes() {
        let printed = Printed::of(&document);
        assert_eq!(overlapping(&printed), None, "{:?}", document.language);
        assert_eq!(beyond_its_column(&document, &printed), None, "{:?}", document.language);
    }
}

#[test]
fn in_the_rendering_before_notes_had_room_a_word_stands_over_its_column() {
    if !can_look() {
        return;
    }
    let documents = with_notes();
    let over = documents
        .iter()
        .filter_map(|document| beyond_its_column(document, &Printed::of_rendering(document, 1)));
    assert!(over.count() > 0, "else the test beside looks at nothing");
}
