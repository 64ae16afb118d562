//! Products and channels: what the reference programme's packs, segments and campaigns name, and what
//! an operator sells beside.

use std::io;

use super::person::Interest;
use super::sheet::Sheet;

/// A product. Prices in fen a month, values 0 to 100.
pub(super) struct Product {
    pub(super) id: &'static str,
    name: &'static str,
    category: &'static str,
    stage: &'static str,
    pub(super) price: u32,
    pub(super) requires: &'static str,
    value: u32,
    traits: &'static str,
}

const fn product(
    id: &'static str,
    name: &'static str,
    (category, stage): (&'static str, &'static str),
    price: u32,
    requires: &'static str,
    value: u32,
    traits: &'static str,
) -> Product {
    Product { id, name, category, stage, price, requires, value, traits }
}

const FUN: &str = "entertainment";
const NEWS: &str = "information";
const TALK: &str = "communication";
const TRADE: &str = "commerce";
const OLD: &str = "mature";
const UP: &str = "growing";
const YOUNG: &str = "incubating";

pub(super) const PRODUCTS: [Product; 38] = [
    product("fetion", "飞信", (TALK, UP), 0, "", 70, "chat;young"),
    product("139mail", "139邮箱", (TALK, UP), 500, "", 65, "mail;office"),
    product("contact_manager", "号簿管家", (TALK, YOUNG), 200, "", 55, "office;safety"),
    product("12580", "12580生活播报", (NEWS, UP), 300, "mms", 50, "life"),
    product("crbt", "彩铃", (FUN, OLD), 500, "", 75, "music;personal"),
    product("music_club", "无线音乐俱乐部", (FUN, UP), 600, "", 80, "music;young"),
    product("music_newspaper", "音乐手机报", (FUN, UP), 300, "mms", 45, "music;reading"),
    product("mobile_newspaper", "手机报", (NEWS, OLD), 500, "mms", 72, "news;reading"),
    product("news_weekly", "新闻周刊", (NEWS, UP), 300, "mms", 40, "news;reading"),
    product("reference_news", "参考消息", (NEWS, UP), 300, "mms", 48, "news;office"),
    product("sports_news", "体育新闻", (NEWS, UP), 300, "mms", 42, "sport;reading"),
    product("sports_short_news", "体育短讯", (NEWS, OLD), 200, "", 30, "sport"),
    product("grasp_life", "掌握生活", (NEWS, YOUNG), 300, "wap", 35, "life"),
    product("mobile_video", "手机视频", (FUN, YOUNG), 1000, "edge", 60, "film;young"),
    product("film_fan", "影迷", (FUN, YOUNG), 300, "mms", 33, "film"),
    product("tickets", "手机票务", (TRADE, YOUNG), 0, "wap", 38, "film;commerce"),
    product("mobile_securities", "手机证券", (TRADE, UP), 2000, "wap", 68, "finance"),
    product("business_travel_line", "商旅专线", (TRADE, UP), 1000, "", 62, "travel;office"),
    product("secretary", "移动秘书", (TALK, OLD), 300, "", 36, "office"),
    product("traffic_alerts", "路况播报", (NEWS, UP), 300, "", 44, "car"),
    product("parents_classroom", "家长课堂", (NEWS, UP), 500, "", 46, "family"),
    product("baby_guide", "宝宝指南", (NEWS, YOUNG), 500, "mms", 34, "family;health"),
    product("health", "健康百事通", (NEWS, YOUNG), 300, "", 32, "health"),
    product("appointment_by_phone", "预约挂号", (TRADE, YOUNG), 0, "", 30, "health"),
    product("shopping_fashion", "时尚购物", (NEWS, UP), 300, "mms", 37, "shopping"),
    product("mms_life", "彩信生活", (NEWS, OLD), 300, "mms", 39, "life"),
    product("mms", "彩信", (TALK, OLD), 0, "mms", 58, "picture"),
    product("mms_pack", "彩信套餐", (TALK, OLD), 1000, "mms", 57, "picture"),
    product("best_mms", "精品彩信", (FUN, UP), 500, "mms", 41, "picture"),
    product("sms", "短信", (TALK, OLD), 0, "", 66, "text"),
    product("wap", "手机上网", (NEWS, OLD), 0, "wap", 64, "web"),
    product("call_reminder", "来电提醒", (TALK, OLD), 200, "", 43, "safety"),
    product("easy_bill_query", "账单易查", (TALK, OLD), 0, "", 25, "service"),
    product("data_plan_5", "流量套餐5元", (TALK, OLD), 500, "wap", 50, "data"),
    product("data_plan_20", "流量套餐20元", (TALK, UP), 2000, "wap", 63, "data"),
    product("data_plan_50", "流量套餐50元", (TALK, UP), 5000, "edge", 71, "data"),
    product("data_plan_100", "流量套餐100元", (TALK, YOUNG), 10_000, "edge", 78, "data"),
    product("data_plan_200", "流量套餐200元", (TALK, YOUNG), 20_000, "edge", 82, "data"),
];

/// What anybody may take, with weights, by id.
const POPULAR: [(usize, u32); 16] = [
    (at("fetion"), 30),
    (at("139mail"), 20),
    (at("crbt"), 28),
    (at("contact_manager"), 8),
    (at("12580"), 9),
    (at("mobile_newspaper"), 14),
    (at("mms_pack"), 8),
    (at("best_mms"), 4),
    (at("mms_life"), 5),
    (at("call_reminder"), 12),
    (at("easy_bill_query"), 7),
    (at("wap"), 10),
    (at("data_plan_5"), 16),
    (at("grasp_life"), 3),
    (at("secretary"), 4),
    (at("sms"), 4),
];

/// What an interest leads to.
fn of_interest(interest: Interest) -> &'static [usize] {
    match interest {
        Interest::Music => const { &[at("music_club"), at("crbt"), at("music_newspaper"), at("music_club")] },
        Interest::Sport => const { &[at("sports_news"), at("sports_short_news"), at("sports_short_news")] },
        Interest::News => const { &[at("mobile_newspaper"), at("news_weekly"), at("reference_news")] },
        Interest::Film => const { &[at("mobile_video"), at("film_fan"), at("tickets")] },
        Interest::Finance => {
            const { &[at("mobile_securities"), at("business_travel_line"), at("data_plan_20"), at("reference_news")] }
        }
        Interest::Cars => const { &[at("traffic_alerts"), at("traffic_alerts"), at("business_travel_line")] },
        Interest::Family => {
            const { &[at("parents_classroom"), at("baby_guide"), at("health"), at("appointment_by_phone")] }
        }
        Interest::Shopping => {
            const { &[at("shopping_fashion"), at("mobile_video"), at("data_plan_50"), at("mms_pack")] }
        }
    }
}

/// The product that a customer takes: one of the interest's, or one that everybody takes.
pub(super) fn taken(draw: &mut super::random::Draw, interest: Interest) -> &'static Product {
    let place = if draw.per_mille(450) { draw.pick(of_interest(interest)) } else { draw.weighted(&POPULAR) };
    &PRODUCTS[place]
}

/// The place of a product; an id that is none does not compile.
const fn at(id: &str) -> usize {
    let mut place = 0;
    while !is_same(PRODUCTS[place].id.as_bytes(), id.as_bytes()) {
        place += 1;
    }
    place
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// Every product.
pub(super) fn products(sheet: &mut Sheet) -> io::Result<()> {
    PRODUCTS.iter().try_for_each(|product| {
        sheet.row(|row| {
            row.text(product.id).text(product.name).text(product.category).text(product.stage);
            row.money(i64::from(product.price)).text(product.requires).count(u64::from(product.value));
            row.text(product.traits);
        })
    })
}

/// A channel: id, name, fen a contact, contacts a day, traits.
const CHANNELS: [(&str, &str, u32, u32, &str); 8] = [
    ("store", "营业厅", 200, 20_000, "person;place"),
    ("hotline", "10086热线", 80, 60_000, "person;inbound"),
    ("outbound", "外呼", 130, 30_000, "person"),
    ("sms", "短信", 10, 2_000_000, "text;push"),
    ("mms", "彩信", 30, 800_000, "picture;push"),
    ("wap", "WAP门户", 2, 500_000, "web"),
    ("web", "网上营业厅", 1, 500_000, "web"),
    ("app", "客户端", 1, 500_000, "web;push"),
];

/// Every channel.
pub(super) fn channels(sheet: &mut Sheet) -> io::Result<()> {
    CHANNELS.iter().try_for_each(|(id, name, cost, capacity, traits)| {
        sheet.row(|row| {
            row.text(id).text(name).money(i64::from(*cost)).count(u64::from(*capacity)).text(traits);
        })
    })
}
