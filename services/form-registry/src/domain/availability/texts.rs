//! What the registers say about an item, in words.

use legalstat_kit::law::LocalizedText;

use super::Unclear;
use crate::domain::form::Periodicity;

pub(super) fn no_form() -> LocalizedText {
    LocalizedText::new(
        "Тармақта есеп нысаны көрсетілмеген: лауазымды адам шешеді.",
        "В пункте не указана форма отчёта: решает должностное лицо.",
        "The item names no report form: an official decides.",
    )
}

pub(super) fn not_registered() -> LocalizedText {
    LocalizedText::new(
        "Көрсетілген нысан есеп нысандарының тізілімінде жоқ.",
        "Указанной формы нет в реестре форм отчётов.",
        "The form named is not in the register of report forms.",
    )
}

/// That every period is open, so many of them as declared nil.
pub(super) fn all_open(nil: usize, asked: usize) -> LocalizedText {
    if nil == 0 {
        return LocalizedText::new(
            "Сұралған барлық кезеңдер ашық орналастырылған: ақпарат ашық қолжетімді.",
            "Все запрошенные периоды размещены открыто: информация доступна открыто.",
            "Every period asked for is placed openly: the information is openly available.",
        );
    }
    LocalizedText::new(
        format!(
            "Сұралған барлық кезеңдер ашық; {asked} кезеңнің {nil} бойынша деректер жоқ деп жарияланған: олардың мәні – нөл."
        ),
        format!("Все запрошенные периоды открыты; для {nil} из {asked} объявлено, что данных нет: их значение — ноль."),
        format!(
            "Every period asked for is open; for {nil} of the {asked} it was declared that there is nothing to report: the \
             answer for them is zero."
        ),
    )
}

pub(super) fn no_such_indicator() -> LocalizedText {
    LocalizedText::new(
        "Көрсетілген көрсеткіш нысанның енгізілген көрсеткіштерінің арасында жоқ.",
        "Указанного показателя нет среди внесённых показателей формы.",
        "The indicator named is none of those entered for the form.",
    )
}

pub(super) fn no_one_indicator() -> LocalizedText {
    LocalizedText::new(
        "Тармақтың сөздері бір ғана көрсеткішті немесе деректемені білдірмейді: лауазымды адам шешеді.",
        "Слова пункта не указывают на один показатель или реквизит: решает должностное лицо.",
        "The words of the item do not mean one indicator or detail for sure: an official decides.",
    )
}

pub(super) fn is_restricted() -> LocalizedText {
    LocalizedText::new(
        "Оған қолжетімділік шектеулі: ол ашық орналастырылмайды.",
        "Доступ к нему ограничен: он не размещается открыто.",
        "It is of restricted access: it is not placed openly.",
    )
}

pub(super) fn did_not_stand() -> LocalizedText {
    LocalizedText::new(
        "Көрсетілген көрсеткіш немесе деректеме тізілімде бар, бірақ сұралған кезеңдерде қолданылмаған.",
        "Указанный показатель или реквизит есть в реестре, но в запрошенные периоды не действовал.",
        "The indicator or detail named is registered, but was not in force in the periods asked for.",
    )
}

pub(super) fn no_such_detail() -> LocalizedText {
    LocalizedText::new(
        "Көрсетілген деректеме ақпараттық есепке алу құжатының енгізілген деректемелерінің арасында жоқ.",
        "Указанного реквизита нет среди внесённых реквизитов информационного учётного документа.",
        "The detail named is none of those entered for the information accounting document.",
    )
}

pub(super) fn no_details() -> LocalizedText {
    LocalizedText::new(
        "Ақпараттық есепке алу құжатының деректемелері ол кезең үшін енгізілмеген: лауазымды адам шешеді.",
        "Реквизиты информационного учётного документа за это время не внесены: решает должностное лицо.",
        "The details of the information accounting document are not entered for that time: an official decides.",
    )
}

pub(super) fn is_detail() -> LocalizedText {
    LocalizedText::new(
        "Бұл – ақпараттық есепке алу құжатының деректемесі: ол тізілімде бар, ешбір басылымда орналастырылмайды.",
        "Это реквизит информационного учётного документа: он есть в реестре и не размещается ни в одном издании.",
        "This is a detail of an information accounting document: it is registered, and no edition holds it.",
    )
}

pub(super) fn not_all_open(open: usize, asked: usize) -> LocalizedText {
    LocalizedText::new(
        format!("Көрсеткіш тізілімде бар; сұралған {asked} кезеңнің {open} бойынша ашық басылымдарда бар."),
        format!(
            "Показатель есть в реестре; открытые издания содержат запрошенное за {open} из {asked} запрошенных периодов."
        ),
        format!(
            "The indicators are registered; open editions hold what is asked for in {open} of the {asked} periods."
        ),
    )
}

pub(super) fn no_indicators(placed: usize, asked: usize) -> LocalizedText {
    LocalizedText::new(
        format!(
            "Нысан тізілімде бар, бірақ оның көрсеткіштері ол кезең үшін енгізілмеген; сұралған {asked} кезеңнің {placed} \
             ашық орналастырылған: лауазымды адам шешеді."
        ),
        format!(
            "Форма есть в реестре, но её показатели за это время не внесены; открыто размещено {placed} из {asked} \
             запрошенных периодов: решает должностное лицо."
        ),
        format!(
            "The form is registered, but its indicators are not entered for that time; {placed} of the {asked} periods asked for \
             are placed openly: an official decides."
        ),
    )
}

pub(super) fn unclear(unclear: Unclear) -> LocalizedText {
    match unclear {
        Unclear::NoPeriod => LocalizedText::new(
            "Тармақта кезең көрсетілмеген: лауазымды адам шешеді.",
            "В пункте не указан период: решает должностное лицо.",
            "The item names no period: an official decides.",
        ),
        Unclear::NoSuchPeriod => LocalizedText::new(
            "Көрсетілген есепті кезең жоқ: лауазымды адам шешеді.",
            "Указанного отчётного периода не существует: решает должностное лицо.",
            "The reporting period named does not exist: an official decides.",
        ),
        Unclear::OtherKind(Periodicity::Monthly) => LocalizedText::new(
            "Нысан ай сайын орналастырылады, ал кезең ай емес: лауазымды адам шешеді.",
            "Форма размещается ежемесячно, а указан не месяц: решает должностное лицо.",
            "The form is placed every month, and the period named is not a month: an official decides.",
        ),
        Unclear::OtherKind(Periodicity::Quarterly) => LocalizedText::new(
            "Нысан тоқсан сайын орналастырылады, ал кезең тоқсан емес: лауазымды адам шешеді.",
            "Форма размещается ежеквартально, а указан не квартал: решает должностное лицо.",
            "The form is placed every quarter, and the period named is not a quarter: an official decides.",
        ),
        Unclear::NoSuchTerritory => LocalizedText::new(
            "Көрсетілген аумақ әкімшілік-аумақтық объектілер жіктеуішінде жоқ: лауазымды адам шешеді.",
            "Указанной территории нет в классификаторе административно-территориальных объектов: решает должностное лицо.",
            "The territory named is not in the classifier of administrative-territorial objects: an official decides.",
        ),
        Unclear::PartlyOtherKind { fitting, asked } => LocalizedText::new(
            format!(
                "Нысан сұралған {asked} кезеңнің {fitting} үшін ғана орналастырылған, қалғандарында оның мерзімділігі басқа: \
                 лауазымды адам шешеді."
            ),
            format!(
                "Форма размещалась лишь за {fitting} из {asked} запрошенных периодов, в остальное время её периодичность иная: \
                 решает должностное лицо."
            ),
            format!(
                "The form was placed for {fitting} of the {asked} periods asked for only, and by another periodicity in the rest \
                 of the time: an official decides."
            ),
        ),
        Unclear::WrongWayRound => LocalizedText::new(
            "Соңғы кезең біріншісінен бұрын: лауазымды адам шешеді.",
            "Последний период раньше первого: решает должностное лицо.",
            "The last period comes before the first: an official decides.",
        ),
    }
}
