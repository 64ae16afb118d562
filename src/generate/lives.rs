//! Lives: what a customer does, and how one who does it uses the telephone.

use super::random::Draw;

/// What a customer does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Pupil,
    Student,
    Employee,
    Farmer,
    CivilServant,
    Business,
    SelfEmployed,
    Driver,
    Marketer,
    Housewife,
    Migrant,
    Senior,
    Trendsetter,
}

use Life::{
    Business, CivilServant, Driver, Employee, Farmer, Housewife, Marketer, Migrant, Pupil, SelfEmployed, Senior,
    Student, Trendsetter,
};

/// A month of such a life, before habit, trend and season.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typical {
    /// Fen.
    pub(super) plan_fee: u32,
    /// Thousandths: of minutes, messages, calls, visits, downloads; data in KB.
    pub(super) voice_min: u32,
    pub(super) sms_p2p: u32,
    pub(super) mms_p2p: u32,
    pub(super) roaming_calls: u32,
    pub(super) data_kb: u32,
    pub(super) crbt_download: u32,
    pub(super) wap_visit: u32,
    /// Fen spent on content beside what is subscribed.
    pub(super) content_fee: u32,
}

impl Life {
    /// The life of a household's member.
    pub(super) fn draw(draw: &mut Draw, place: u8, size: u8, is_rural: bool) -> Life {
        match (place, is_rural) {
            // Alone: the young, and those whose family is elsewhere.
            (0, _) if size == 1 => draw.weighted(&[
                (Student, 26),
                (Migrant, 26),
                (Employee, 18),
                (Trendsetter, 12),
                (Senior, 8),
                (Business, 6),
                (Marketer, 4),
            ]),
            (2 | 4, _) => draw.weighted(&[(Pupil, 42), (Student, 46), (Trendsetter, 6), (Migrant, 6)]),
            (3, true) => draw.weighted(&[(Senior, 55), (Farmer, 45)]),
            (3, false) => Senior,
            (_, true) => draw.weighted(&[
                (Farmer, 55),
                (Migrant, 20),
                (SelfEmployed, 7),
                (Driver, 7),
                (Housewife, 8),
                (CivilServant, 3),
            ]),
            (0, false) => draw.weighted(&[
                (Employee, 34),
                (Business, 13),
                (CivilServant, 11),
                (SelfEmployed, 14),
                (Driver, 8),
                (Marketer, 9),
                (Trendsetter, 6),
                (Senior, 5),
            ]),
            (_, false) => draw.weighted(&[
                (Employee, 36),
                (Housewife, 26),
                (CivilServant, 9),
                (SelfEmployed, 9),
                (Marketer, 8),
                (Business, 5),
                (Trendsetter, 7),
            ]),
        }
    }

    /// Ages, both included.
    pub(super) fn ages(self) -> (u32, u32) {
        match self {
            Pupil => (12, 18),
            Student => (17, 24),
            Employee => (22, 58),
            Farmer => (24, 66),
            CivilServant => (24, 59),
            Business => (28, 60),
            SelfEmployed => (24, 60),
            Driver => (24, 57),
            Marketer => (21, 45),
            Housewife => (27, 56),
            Migrant => (18, 48),
            Senior => (55, 86),
            Trendsetter => (22, 34),
        }
    }

    /// Women among a thousand.
    pub(super) fn women(self) -> u32 {
        match self {
            Housewife => 1000,
            Driver => 60,
            Migrant | Business => 330,
            Trendsetter | Marketer => 600,
            _ => 490,
        }
    }

    /// The occupation as the operator's customer system spells it.
    pub(super) fn occupation(self) -> &'static str {
        match self {
            Pupil | Student => "student",
            Employee | Trendsetter => "employee",
            Farmer => "farmer",
            CivilServant => "civil_servant",
            Business => "manager",
            SelfEmployed => "self_employed",
            Driver => "driver",
            Marketer => "marketer",
            Housewife => "housewife",
            Migrant => "migrant_worker",
            Senior => "retired",
        }
    }

    /// The virtual network that many of this life belong to, and how many of a thousand.
    pub(super) fn group(self) -> (&'static str, u32) {
        match self {
            Student => ("student_vnet", 420),
            Farmer => ("rural_vnet", 500),
            Driver => ("fleet", 380),
            CivilServant => ("government", 560),
            Migrant => ("migrant_vnet", 300),
            Employee | Business | Marketer => ("company_vnet", 250),
            _ => ("family_vnet", 150),
        }
    }

    /// The kind of employer, where there is one.
    pub(super) fn employer(self) -> &'static [&'static str] {
        match self {
            Employee | Driver => &["机床厂", "钢铁公司", "石化公司", "商业大厦", "第一医院", "公交公司", "造船厂"],
            CivilServant => &["市政府", "税务局", "教育局"],
            Business => &["贸易公司", "投资公司", "进出口公司"],
            Marketer => &["保险公司", "房产公司"],
            Trendsetter => &["软件公司", "设计公司", "银行"],
            _ => &[],
        }
    }

    /// A month of this life.
    pub(super) fn typical(self) -> Typical {
        let typical = |plan_fee, voice: u32, sms: u32, mms, roaming, data_kb, crbt, wap: u32, content_fee| Typical {
            plan_fee,
            voice_min: voice * 1000,
            sms_p2p: sms * 1000,
            mms_p2p: mms,
            roaming_calls: roaming,
            data_kb,
            crbt_download: crbt,
            wap_visit: wap * 1000,
            content_fee,
        };
        match self {
            Pupil => typical(800, 60, 55, 1_500, 100, 6_000, 300, 8, 200),
            Student => typical(1_500, 150, 110, 3_000, 700, 20_000, 500, 18, 350),
            Employee => typical(2_500, 320, 50, 2_000, 1_100, 11_000, 250, 6, 350),
            Farmer => typical(1_000, 150, 8, 200, 350, 500, 40, 0, 60),
            CivilServant => typical(4_000, 380, 45, 3_000, 1_000, 10_000, 150, 5, 400),
            Business => typical(11_000, 800, 70, 6_000, 6_500, 40_000, 200, 9, 1_200),
            SelfEmployed => typical(5_000, 780, 40, 2_500, 1_300, 8_000, 150, 4, 500),
            Driver => typical(3_000, 640, 22, 700, 4_200, 2_500, 120, 2, 250),
            Marketer => typical(6_000, 1_050, 150, 6_000, 1_400, 20_000, 300, 8, 700),
            Housewife => typical(1_400, 200, 26, 1_500, 150, 3_000, 150, 2, 200),
            Migrant => typical(1_100, 210, 35, 900, 2_300, 6_000, 350, 6, 200),
            Senior => typical(900, 120, 4, 100, 150, 200, 10, 0, 40),
            Trendsetter => typical(4_500, 340, 120, 11_000, 1_300, 115_000, 1_400, 28, 1_300),
        }
    }

    /// Those whom a growing business or a growing taste takes far up.
    pub(super) fn may_star(self) -> bool {
        matches!(self, Business | SelfEmployed | Marketer | Trendsetter | CivilServant | Employee)
    }
}
