//! Files that people open: spreadsheets and PDF. The same report gives the same bytes; Japanese text is embedded.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use std::io::{Cursor, Read};

use common::{a_group_day, materials, names, read, the_day, town::*, whole};
use musubi_reports::{
    format::{
        pdf::{self, Attachment, Extras, Fonts},
        xlsx,
    },
    report::{Document, accounts, kpi, statement, unused},
    sheet::Sheet,
};
use musubi_sdk::image::QrImage;

async fn sheets() -> Vec<Sheet> {
    let (source, names) = (read(&a_group_day(), whole(the_day())).await, names());
    let materials = materials(&source, &names);
    let day = the_day();
    vec![
        statement::make(materials, ALICE, day).unwrap().sheet(),
        statement::make(materials, SHOP, day).unwrap().sheet(),
        accounts::make(materials, GROUP, day).unwrap().sheet(),
        unused::make(materials, day.last).unwrap().sheet(),
        kpi::make(materials, day).unwrap().sheet(),
    ]
}

/// The parts of a workbook, by name.
fn part(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_workbook_holds_figures_as_figures_and_words_as_words() {
    for sheet in sheets().await {
        let workbook = xlsx::write(&sheet).unwrap();
        assert_eq!(workbook, xlsx::write(&sheet).unwrap(), "{}", sheet.title);
        assert!(part(&workbook, "xl/workbook.xml").contains(&sheet.tables[0].title));
    }
    let group = &sheets().await[2];
    let workbook = xlsx::write(group).unwrap();
    let strings = part(&workbook, "xl/sharedStrings.xml");
    assert!(strings.contains("本町自治会") && strings.contains("=HYPERLINK("), "{strings}");
    let first = part(&workbook, "xl/worksheets/sheet2.xml");
    assert!(first.contains("<v>3500</v>") && !first.contains("<f>"), "{first}");
}

#[tokio::test]
async fn a_pdf_embeds_what_it_needs_of_its_fonts() {
    let fonts = Fonts::find(None).unwrap();
    for sheet in sheets().await {
        let extras = Extras {
            attachments: vec![Attachment {
                name: "proof.tlog-proof".into(),
                description: "証明書".into(),
                bytes: b"c2sp.org/tlog-proof@v1".to_vec(),
            }],
            code: Some((QrImage::new("MUSUBI").unwrap(), "検証".into())),
        };
        let file = pdf::write(&sheet, &extras, &fonts).unwrap();
        assert_eq!(file, pdf::write(&sheet, &extras, &fonts).unwrap(), "{}", sheet.title);
        let says = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
        assert!(says(b"BIZUDGothic") && says(b"proof.tlog-proof"), "{}", sheet.title);
        // Its fonts have four megabytes each.
        assert!(file.len() < 200_000, "{}: {} bytes", sheet.title, file.len());
        if let Ok(folder) = std::env::var("MUSUBI_KEEP_FILES") {
            std::fs::write(format!("{folder}/{}.pdf", sheet.title), &file).unwrap();
            std::fs::write(format!("{folder}/{}.xlsx", sheet.title), xlsx::write(&sheet).unwrap())
                .unwrap();
        }
    }
}

#[test]
fn a_missing_font_names_the_package_that_has_one() {
    let error = Fonts::find(Some("nowhere.ttf".as_ref())).unwrap_err();
    assert_eq!(error.code(), "no_font");
    assert!(error.next().contains("fonts-morisawa-bizud-gothic"), "{}", error.next());
}
