//! The words of the province: fourteen cities and their districts, brands, telephones, kinds of places.
//!
//! Place names are those of Liaoning; no person, firm or telephone number is anybody's.

/// A city, how many of the province's ten thousand households live there, and its districts, the
/// urban ones first.
pub(super) struct City {
    pub(super) name: &'static str,
    pub(super) households: u32,
    pub(super) districts: [&'static str; DISTRICTS],
}

/// Districts of a city; the last two are counties, where the farmers live.
pub(super) const DISTRICTS: usize = 5;
pub(super) const URBAN_DISTRICTS: usize = 3;

const fn city(name: &'static str, households: u32, districts: [&'static str; DISTRICTS]) -> City {
    City { name, households, districts }
}

pub(super) const CITIES: [City; 14] = [
    city("沈阳", 1900, ["和平区", "沈河区", "铁西区", "新民", "法库县"]),
    city("大连", 1600, ["中山区", "西岗区", "沙河口区", "瓦房店", "庄河"]),
    city("鞍山", 820, ["铁东区", "立山区", "千山区", "海城", "台安县"]),
    city("抚顺", 500, ["新抚区", "望花区", "顺城区", "清原县", "新宾县"]),
    city("本溪", 380, ["平山区", "溪湖区", "明山区", "桓仁县", "本溪县"]),
    city("丹东", 560, ["振兴区", "元宝区", "振安区", "东港", "凤城"]),
    city("锦州", 720, ["古塔区", "凌河区", "太和区", "凌海", "义县"]),
    city("营口", 560, ["站前区", "西市区", "鲅鱼圈区", "盖州", "大石桥"]),
    city("阜新", 430, ["海州区", "太平区", "细河区", "彰武县", "阜新县"]),
    city("辽阳", 420, ["白塔区", "文圣区", "宏伟区", "灯塔", "辽阳县"]),
    city("盘锦", 320, ["双台子区", "兴隆台区", "大洼区", "盘山县", "辽滨"]),
    city("铁岭", 630, ["银州区", "清河区", "凡河", "开原", "昌图县"]),
    city("朝阳", 680, ["双塔区", "龙城区", "燕都", "北票", "建平县"]),
    city("葫芦岛", 480, ["龙港区", "连山区", "南票区", "兴城", "绥中县"]),
];

/// A telephone as it is sold, and what it can do.
pub(super) struct Handset {
    pub(super) model: &'static str,
    /// Type allocation code: the first eight digits of its IMEI.
    pub(super) tac: u32,
    pub(super) supports: &'static str,
}

const fn handset(model: &'static str, tac: u32, supports: &'static str) -> Handset {
    Handset { model, tac, supports }
}

/// Calls and texts only; then the common kind; then those with which the new is tried.
pub(super) const BASIC: [Handset; 3] =
    [handset("Linden 100", 99_000_001, ""), handset("Linden 110", 99_000_002, ""), handset("Bohai F1", 99_000_003, "")];
pub(super) const COMMON: [Handset; 5] = [
    handset("Linden 300", 99_000_011, "wap;mms"),
    handset("Linden 320", 99_000_012, "wap;mms;java"),
    handset("Bohai M2", 99_000_013, "wap;mms;java;edge"),
    handset("Bohai M5", 99_000_014, "wap;mms;java;edge"),
    handset("Heron Slide", 99_000_015, "wap;mms"),
];
pub(super) const ADVANCED: [Handset; 3] = [
    handset("Heron Pro", 99_000_021, "wap;mms;java;edge;lte"),
    handset("Linden 900", 99_000_022, "wap;mms;java;edge;lte"),
    handset("Bohai X", 99_000_023, "wap;mms;java;edge;lte"),
];

/// Kinds of places, which the reference programme's tags name. Each district has at least one cell of
/// each; a place's number in a district is its position here plus a multiple of the length.
pub(super) const VENUE_KINDS: [&str; 52] = [
    "housing_estate",
    "bus_stop",
    "metro",
    "office",
    "school",
    "university",
    "dormitory",
    "net_cafe",
    "bookshop",
    "job_fair",
    "test_site",
    "bank",
    "insurer",
    "training",
    "conference_centre",
    "government_office",
    "bank_vip_room",
    "exchange",
    "car_dealer",
    "filling_station",
    "hotel",
    "airport",
    "resort",
    "golf",
    "gym",
    "spa",
    "beauty",
    "fitness",
    "shopping_centre",
    "bar",
    "karaoke",
    "cafe",
    "cinema",
    "market",
    "supermarket",
    "station",
    "fair",
    "park",
    "activity_room",
    "chess_room",
    "hospital",
    "children_hospital",
    "maternity_hospital",
    "stadium",
    "concert_hall",
    "exhibition_centre",
    "factory",
    "village",
    "restaurant",
    "construction_site",
    "street",
    "bus_depot",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_households_are_shared_out() {
        assert_eq!(CITIES.iter().map(|city| city.households).sum::<u32>(), 10_000);
    }

    #[test]
    fn every_city_shows_that_a_file_is_gb18030() {
        for city in &CITIES {
            let (bytes, ..) = encoding_rs::GB18030.encode(city.name);
            assert!(std::str::from_utf8(&bytes).is_err(), "{}", city.name);
        }
    }
}
