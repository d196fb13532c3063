//! What a package says in three languages of itself.

use legalstat_kit::law::LocalizedText;

use super::Subject;

/// The title of the data set: that of the form, with the period.
pub(super) fn title(subject: &Subject) -> LocalizedText {
    let of = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}, {}", subject.edition.period)
        }
    };
    LocalizedText::new(of(&subject.title.kk), of(&subject.title.ru), of(&subject.title.en))
}

/// What the data set holds.
pub(super) fn description(subject: &Subject) -> LocalizedText {
    let (form, period, revision) = (subject.edition.form, subject.edition.period, subject.revision);
    LocalizedText::new(
        format!("№ {form} есеп нысаны бойынша құқықтық статистикалық ақпарат, кезең {period}, {revision}-редакция"),
        format!("Правовая статистическая информация по форме отчёта № {form} за период {period}, редакция {revision}"),
        format!("Legal statistical information of report form No. {form} for the period {period}, revision {revision}"),
    )
}

/// Words to find it by.
pub(super) fn keywords(subject: &Subject) -> [Vec<String>; 3] {
    let of = |fixed: [&str; 2], title: &str| {
        let words = fixed.into_iter().map(str::to_owned);
        words.chain((!title.is_empty()).then(|| title.to_owned())).collect()
    };
    [
        of(["құқықтық статистика", "есеп нысаны"], &subject.title.kk),
        of(["правовая статистика", "форма отчёта"], &subject.title.ru),
        of(["legal statistics", "report form"], &subject.title.en),
    ]
}

/// Who publishes it.
pub(super) fn publisher() -> LocalizedText {
    LocalizedText::new(
        "Қазақстан Республикасы Бас прокуратурасының Құқықтық статистика және арнайы есепке алу жөніндегі комитеті",
        "Комитет по правовой статистике и специальным учётам Генеральной прокуратуры Республики Казахстан",
        "Committee on Legal Statistics and Special Accounts of the Prosecutor General's Office of the Republic of Kazakhstan",
    )
}

/// The label of a column that every package has.
pub(super) fn label(column: &str) -> LocalizedText {
    match column {
        "indicator" => LocalizedText::new("Көрсеткіштің коды", "Код показателя", "Code of the indicator"),
        "territory" => LocalizedText::new(
            "Аумақ, ӘАОЖ коды; _T — бүкіл ел",
            "Территория, код КАТО; _T — вся страна",
            "Territory, code of KATO; _T is the whole country",
        ),
        "period" => LocalizedText::new(
            "Есепті кезең (SDMX)",
            "Отчётный период (SDMX)",
            "Reporting period (SDMX)",
        ),
        "value" => LocalizedText::new("Мәні", "Значение", "Value"),
        "status" => LocalizedText::new(
            "Байқау мәртебесі (SDMX, CL_OBS_STATUS)",
            "Статус наблюдения (SDMX, CL_OBS_STATUS)",
            "Observation status (SDMX, CL_OBS_STATUS)",
        ),
        "unit" => LocalizedText::new("Есепке алу бірлігі", "Единица учёта", "Unit of account"),
        "measure" => LocalizedText::new("Өлшем", "Мера", "Measure"),
        "list" => LocalizedText::new("Код тізімі", "Список кодов", "Code list"),
        "code" => LocalizedText::new("Код", "Код", "Code"),
        "title_kk" => LocalizedText::new("Қазақша атауы", "Название на казахском языке", "Title in Kazakh"),
        "title_ru" => LocalizedText::new("Орысша атауы", "Название на русском языке", "Title in Russian"),
        _ => LocalizedText::new("Ағылшынша атауы", "Название на английском языке", "Title in English"),
    }
}

/// The same text in the languages that have one, the first of them first.
pub(super) fn some(text: &LocalizedText) -> &str {
    let order = [&text.en, &text.ru, &text.kk];
    order
        .into_iter()
        .find(|text| !text.is_empty())
        .map_or("", String::as_str)
}
