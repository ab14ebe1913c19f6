"""Where it is which time: cities, countries and regions by their Chinese and English names, and each one's zone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

ROWS = """
Asia/Shanghai 中国 China, 中华人民共和国 People's Republic of China, PRC, 中国大陆 Mainland China, 北京 Beijing
Asia/Shanghai Peking, 上海 Shanghai, 天津 Tianjin, 重庆 Chongqing, 石家庄 Shijiazhuang, 太原 Taiyuan, 呼和浩特 Hohhot
Asia/Shanghai 沈阳 Shenyang, 长春 Changchun, 哈尔滨 Harbin, 南京 Nanjing, 杭州 Hangzhou, 合肥 Hefei, 福州 Fuzhou
Asia/Shanghai 南昌 Nanchang, 济南 Jinan, 郑州 Zhengzhou, 武汉 Wuhan, 长沙 Changsha, 广州 Guangzhou, Canton
Asia/Shanghai 南宁 Nanning, 海口 Haikou, 成都 Chengdu, 贵阳 Guiyang, 昆明 Kunming, 拉萨 Lhasa, 西安 Xi'an
Asia/Shanghai 兰州 Lanzhou, 西宁 Xining, 银川 Yinchuan, 乌鲁木齐 Urumqi, 新疆 Xinjiang, 喀什 Kashgar, 西藏 Tibet
Asia/Shanghai 深圳 Shenzhen, 苏州 Suzhou, 青岛 Qingdao, 大连 Dalian, 厦门 Xiamen, 宁波 Ningbo, 无锡 Wuxi, 佛山 Foshan
Asia/Shanghai 东莞 Dongguan, 珠海 Zhuhai, 三亚 Sanya, 桂林 Guilin, 温州 Wenzhou, 泉州 Quanzhou, 烟台 Yantai
Asia/Shanghai 洛阳 Luoyang, 徐州 Xuzhou, 常州 Changzhou, 南通 Nantong, 汕头 Shantou, 威海 Weihai, 唐山 Tangshan
Asia/Shanghai 保定 Baoding, 绍兴 Shaoxing, 嘉兴 Jiaxing, 金华 Jinhua, 台州 Taizhou, 扬州 Yangzhou, 镇江 Zhenjiang
Asia/Shanghai 惠州 Huizhou, 中山 Zhongshan, 丽江 Lijiang, 大理 Dali, 西双版纳 Xishuangbanna, 秦皇岛 Qinhuangdao
Asia/Shanghai 河北 Hebei, 山西 Shanxi, 内蒙古 Inner Mongolia, 辽宁 Liaoning, 吉林 Jilin, 黑龙江 Heilongjiang
Asia/Shanghai 江苏 Jiangsu, 浙江 Zhejiang, 安徽 Anhui, 福建 Fujian, 江西 Jiangxi, 山东 Shandong, 河南 Henan
Asia/Shanghai 湖北 Hubei, 湖南 Hunan, 广东 Guangdong, 广西 Guangxi, 海南 Hainan, 四川 Sichuan, 贵州 Guizhou
Asia/Shanghai 云南 Yunnan, 陕西 Shaanxi, 甘肃 Gansu, 青海 Qinghai, 宁夏 Ningxia
Asia/Hong_Kong 香港 Hong Kong, HKT
Asia/Macau 澳门 Macau, Macao
Asia/Taipei 台北 Taipei, 台湾 Taiwan, 高雄 Kaohsiung, 台中 Taichung, 台南 Tainan, 新北 New Taipei
Asia/Tokyo 日本 Japan, 东京 Tokyo, 大阪 Osaka, 京都 Kyoto, 名古屋 Nagoya, 札幌 Sapporo, 福冈 Fukuoka, 横滨 Yokohama
Asia/Tokyo 神户 Kobe, 冲绳 Okinawa, 广岛 Hiroshima, 奈良 Nara, JST
Asia/Seoul 韩国 South Korea, Korea, 首尔 Seoul, 釜山 Busan, 仁川 Incheon, 济州 Jeju, KST
Asia/Pyongyang 朝鲜 North Korea, 平壤 Pyongyang
Asia/Ulaanbaatar 蒙古 Mongolia, 乌兰巴托 Ulaanbaatar, Ulan Bator
Asia/Singapore 新加坡 Singapore, SGT
Asia/Kuala_Lumpur 马来西亚 Malaysia, 吉隆坡 Kuala Lumpur, 槟城 Penang, 马六甲 Malacca
Asia/Bangkok 泰国 Thailand, 曼谷 Bangkok, 清迈 Chiang Mai, 普吉 Phuket
Asia/Ho_Chi_Minh 越南 Vietnam, 胡志明市 Ho Chi Minh City, 西贡 Saigon, 河内 Hanoi, 岘港 Da Nang
Asia/Phnom_Penh 柬埔寨 Cambodia, 金边 Phnom Penh
Asia/Vientiane 老挝 Laos, 万象 Vientiane
Asia/Yangon 缅甸 Myanmar, Burma, 仰光 Yangon, Rangoon, 曼德勒 Mandalay
Asia/Manila 菲律宾 Philippines, 马尼拉 Manila, 宿务 Cebu, 长滩岛 Boracay
Asia/Jakarta 雅加达 Jakarta, 泗水 Surabaya, 万隆 Bandung
Asia/Makassar 巴厘岛 Bali, 登巴萨 Denpasar
Asia/Brunei 文莱 Brunei
Asia/Dili 东帝汶 East Timor, Timor-Leste
Asia/Kolkata 印度 India, 新德里 New Delhi, 德里 Delhi, 孟买 Mumbai, Bombay, 班加罗尔 Bangalore, Bengaluru
Asia/Kolkata 加尔各答 Kolkata, Calcutta, 金奈 Chennai, Madras, 海得拉巴 Hyderabad
Asia/Kathmandu 尼泊尔 Nepal, 加德满都 Kathmandu
Asia/Thimphu 不丹 Bhutan, 廷布 Thimphu
Asia/Dhaka 孟加拉国 Bangladesh, 孟加拉, 达卡 Dhaka
Asia/Colombo 斯里兰卡 Sri Lanka, 科伦坡 Colombo
Indian/Maldives 马尔代夫 Maldives, 马累 Male
Asia/Karachi 巴基斯坦 Pakistan, 卡拉奇 Karachi, 伊斯兰堡 Islamabad, 拉合尔 Lahore
Asia/Kabul 阿富汗 Afghanistan, 喀布尔 Kabul
Asia/Almaty 哈萨克斯坦 Kazakhstan, 阿拉木图 Almaty, 阿斯塔纳 Astana
Asia/Tashkent 乌兹别克斯坦 Uzbekistan, 塔什干 Tashkent, 撒马尔罕 Samarkand
Asia/Bishkek 吉尔吉斯斯坦 Kyrgyzstan, 比什凯克 Bishkek
Asia/Dushanbe 塔吉克斯坦 Tajikistan, 杜尚别 Dushanbe
Asia/Ashgabat 土库曼斯坦 Turkmenistan, 阿什哈巴德 Ashgabat
Asia/Tehran 伊朗 Iran, 德黑兰 Tehran
Asia/Baghdad 伊拉克 Iraq, 巴格达 Baghdad
Asia/Kuwait 科威特 Kuwait
Asia/Riyadh 沙特 Saudi Arabia, 沙特阿拉伯, 利雅得 Riyadh, 麦加 Mecca, 吉达 Jeddah
Asia/Dubai 阿联酋 United Arab Emirates, UAE, 迪拜 Dubai, 阿布扎比 Abu Dhabi
Asia/Qatar 卡塔尔 Qatar, 多哈 Doha
Asia/Bahrain 巴林 Bahrain
Asia/Muscat 阿曼 Oman, 马斯喀特 Muscat
Asia/Aden 也门 Yemen
Asia/Jerusalem 以色列 Israel, 耶路撒冷 Jerusalem, 特拉维夫 Tel Aviv
Asia/Amman 约旦 Jordan, 安曼 Amman
Asia/Beirut 黎巴嫩 Lebanon, 贝鲁特 Beirut
Asia/Damascus 叙利亚 Syria, 大马士革 Damascus
Europe/Istanbul 土耳其 Turkey, Türkiye, 伊斯坦布尔 Istanbul, 安卡拉 Ankara
Asia/Nicosia 塞浦路斯 Cyprus, 尼科西亚 Nicosia
Asia/Tbilisi 格鲁吉亚 Tbilisi, 第比利斯
Asia/Yerevan 亚美尼亚 Armenia, 埃里温 Yerevan
Asia/Baku 阿塞拜疆 Azerbaijan, 巴库 Baku
Europe/London 英国 United Kingdom, UK, Great Britain, Britain, 伦敦 London, 英格兰 England, 苏格兰 Scotland
Europe/London 威尔士 Wales, 爱丁堡 Edinburgh, 曼彻斯特 Manchester, 利物浦 Liverpool, 伯明翰, 剑桥, 牛津 Oxford
Europe/London 格拉斯哥 Glasgow
Europe/Dublin 爱尔兰 Ireland, 都柏林 Dublin
Europe/Lisbon 葡萄牙 Portugal, 里斯本 Lisbon, 波尔图 Porto
Europe/Madrid 西班牙 Spain, 马德里 Madrid, 巴塞罗那 Barcelona, 塞维利亚 Seville, 瓦伦西亚 Valencia
Europe/Paris 法国 France, 巴黎 Paris, 里昂 Lyon, 马赛 Marseille, 尼斯 Nice, 波尔多 Bordeaux, 斯特拉斯堡 Strasbourg
Europe/Berlin 德国 Germany, 柏林 Berlin, 慕尼黑 Munich, München, 汉堡 Hamburg, 法兰克福 Frankfurt, 科隆 Cologne
Europe/Berlin 杜塞尔多夫 Düsseldorf, 斯图加特 Stuttgart, 德累斯顿 Dresden, CET, MEZ
Europe/Rome 意大利 Italy, 罗马 Rome, 米兰 Milan, 威尼斯 Venice, 佛罗伦萨 Florence, 都灵 Turin, 那不勒斯 Naples
Europe/Vatican 梵蒂冈 Vatican City
Europe/Amsterdam 荷兰 Netherlands, Holland, 阿姆斯特丹 Amsterdam, 鹿特丹 Rotterdam, 海牙 The Hague
Europe/Brussels 比利时 Belgium, 布鲁塞尔 Brussels
Europe/Luxembourg 卢森堡 Luxembourg
Europe/Zurich 瑞士 Switzerland, 苏黎世 Zurich, 日内瓦 Geneva, 伯尔尼 Bern, 巴塞尔 Basel
Europe/Vienna 奥地利 Austria, 维也纳 Vienna, 萨尔茨堡 Salzburg
Europe/Prague 捷克 Czechia, Czech Republic, 布拉格 Prague
Europe/Bratislava 斯洛伐克 Slovakia
Europe/Budapest 匈牙利 Hungary, 布达佩斯 Budapest
Europe/Warsaw 波兰 Poland, 华沙 Warsaw, 克拉科夫 Krakow
Europe/Copenhagen 丹麦 Denmark, 哥本哈根 Copenhagen
Europe/Stockholm 瑞典 Sweden, 斯德哥尔摩 Stockholm, 哥德堡 Gothenburg
Europe/Oslo 挪威 Norway, 奥斯陆 Oslo, 卑尔根 Bergen
Europe/Helsinki 芬兰 Finland, 赫尔辛基 Helsinki
Atlantic/Reykjavik 冰岛 Iceland, 雷克雅未克 Reykjavik
Europe/Tallinn 爱沙尼亚 Estonia, 塔林 Tallinn
Europe/Riga 拉脱维亚 Latvia, 里加 Riga
Europe/Vilnius 立陶宛 Lithuania, 维尔纽斯 Vilnius
Europe/Minsk 白俄罗斯 Belarus, 明斯克 Minsk
Europe/Kyiv 乌克兰 Ukraine, 基辅 Kyiv, Kiev, 敖德萨 Odesa
Europe/Chisinau 摩尔多瓦 Moldova
Europe/Bucharest 罗马尼亚 Romania, 布加勒斯特 Bucharest
Europe/Sofia 保加利亚 Bulgaria, 索非亚 Sofia
Europe/Athens 希腊 Greece, 雅典 Athens, 圣托里尼 Santorini
Europe/Belgrade 塞尔维亚 Serbia, 贝尔格莱德 Belgrade
Europe/Zagreb 克罗地亚 Croatia, 萨格勒布 Zagreb
Europe/Ljubljana 斯洛文尼亚 Slovenia
Europe/Sarajevo 波黑 Bosnia and Herzegovina, 萨拉热窝 Sarajevo
Europe/Tirane 阿尔巴尼亚 Albania
Europe/Malta 马耳他 Malta
Europe/Monaco 摩纳哥 Monaco
Europe/Moscow 莫斯科 Moscow, 圣彼得堡 Saint Petersburg, St. Petersburg, MSK
Asia/Yekaterinburg 叶卡捷琳堡 Yekaterinburg
Asia/Novosibirsk 新西伯利亚 Novosibirsk
Asia/Irkutsk 伊尔库茨克 Irkutsk
Asia/Vladivostok 符拉迪沃斯托克 Vladivostok, 海参崴
Africa/Cairo 埃及 Egypt, 开罗 Cairo, 亚历山大 Alexandria
Africa/Tripoli 利比亚 Libya
Africa/Tunis 突尼斯 Tunisia, Tunis
Africa/Algiers 阿尔及利亚 Algeria, 阿尔及尔 Algiers
Africa/Casablanca 摩洛哥 Morocco, 卡萨布兰卡 Casablanca, 马拉喀什 Marrakesh
Africa/Lagos 尼日利亚 Nigeria, 拉各斯 Lagos, 阿布贾 Abuja
Africa/Accra 加纳 Ghana, 阿克拉 Accra
Africa/Dakar 塞内加尔 Senegal, 达喀尔 Dakar
Africa/Abidjan 科特迪瓦 Ivory Coast, 阿比让 Abidjan
Africa/Luanda 安哥拉 Angola, 罗安达 Luanda
Africa/Khartoum 苏丹 Sudan, 喀土穆 Khartoum
Africa/Addis_Ababa 埃塞俄比亚 Ethiopia, 亚的斯亚贝巴 Addis Ababa
Africa/Nairobi 肯尼亚 Kenya, 内罗毕 Nairobi
Africa/Kampala 乌干达 Uganda
Africa/Kigali 卢旺达 Rwanda
Africa/Dar_es_Salaam 坦桑尼亚 Tanzania, 达累斯萨拉姆 Dar es Salaam
Africa/Lusaka 赞比亚 Zambia
Africa/Harare 津巴布韦 Zimbabwe
Africa/Windhoek 纳米比亚 Namibia
Africa/Johannesburg 南非 South Africa, 约翰内斯堡 Johannesburg, 开普敦 Cape Town, 德班 Durban, 比勒陀利亚 Pretoria
Indian/Antananarivo 马达加斯加 Madagascar
Indian/Mauritius 毛里求斯 Mauritius
America/New_York 纽约 New York, New York City, NYC, 华盛顿 Washington, Washington DC, 波士顿 Boston, 费城 Philadelphia
America/New_York 迈阿密 Miami, 亚特兰大 Atlanta, 匹兹堡 Pittsburgh, 奥兰多 Orlando, 巴尔的摩 Baltimore
America/New_York 克利夫兰 Cleveland, ET, EST, EDT, 佛罗里达, 宾夕法尼亚, 新泽西, 马萨诸塞, 弗吉尼亚, 俄亥俄
America/New_York 北卡罗来纳, 康涅狄格, 马里兰
America/Detroit 底特律 Detroit, 密歇根
America/Chicago 芝加哥 Chicago, 休斯敦 Houston, 达拉斯 Dallas, 奥斯汀 Austin, 新奥尔良 New Orleans
America/Chicago 明尼阿波利斯 Minneapolis, CDT, 圣路易斯 St. Louis, 圣安东尼奥 San Antonio, 得克萨斯, 伊利诺伊
America/Chicago 路易斯安那
America/Denver 丹佛 Denver, 盐湖城 Salt Lake City, 科罗拉多, 犹他, MDT
America/Phoenix 凤凰城 Phoenix, 亚利桑那
America/Los_Angeles 洛杉矶 Los Angeles, LA, 旧金山 San Francisco, 三藩市, 西雅图 Seattle, 圣迭戈 San Diego
America/Los_Angeles 圣何塞 San Jose, 硅谷 Silicon Valley, 拉斯维加斯 Las Vegas, 波特兰 Portland, 萨克拉门托 Sacramento
America/Los_Angeles Oakland, PT, PST, PDT, 加利福尼亚, 加州, 华盛顿州 Washington State, 俄勒冈, 内华达
America/Anchorage 安克雷奇 Anchorage, 阿拉斯加
Pacific/Honolulu 夏威夷, 檀香山 Honolulu, HST
America/Toronto 多伦多 Toronto, 渥太华 Ottawa, 蒙特利尔 Montreal, 魁北克 Quebec, 安大略 Ontario
America/Winnipeg 温尼伯 Winnipeg
America/Edmonton 卡尔加里 Calgary, 埃德蒙顿 Edmonton, 阿尔伯塔 Alberta
America/Vancouver 温哥华 Vancouver, 不列颠哥伦比亚 British Columbia
America/Halifax 哈利法克斯 Halifax
America/Mexico_City 墨西哥城 Mexico City, 瓜达拉哈拉 Guadalajara
America/Cancun 坎昆 Cancun
America/Tijuana 蒂华纳 Tijuana
America/Havana 古巴 Cuba, 哈瓦那 Havana
America/Jamaica 牙买加 Jamaica, 金斯敦 Kingston
America/Nassau 巴哈马 Bahamas
America/Santo_Domingo 多米尼加 Dominican Republic, 圣多明各 Santo Domingo
America/Puerto_Rico 波多黎各 Puerto Rico
America/Guatemala 危地马拉 Guatemala
America/Costa_Rica 哥斯达黎加 Costa Rica
America/Panama 巴拿马 Panama
America/Bogota 哥伦比亚 Colombia, 波哥大 Bogota, 麦德林 Medellin
America/Lima 秘鲁 Peru, 利马 Lima, 库斯科 Cusco
America/Caracas 委内瑞拉 Venezuela, 加拉加斯 Caracas
America/La_Paz 玻利维亚 Bolivia, 拉巴斯 La Paz
America/Asuncion 巴拉圭 Paraguay
America/Montevideo 乌拉圭 Uruguay, 蒙得维的亚 Montevideo
America/Argentina/Buenos_Aires 阿根廷 Argentina, 布宜诺斯艾利斯 Buenos Aires
America/Guayaquil 厄瓜多尔 Ecuador, 基多 Quito, 瓜亚基尔 Guayaquil
America/Santiago 智利 Chile, 圣地亚哥 Santiago
America/Sao_Paulo 圣保罗 Sao Paulo, 里约热内卢 Rio de Janeiro, Rio, 巴西利亚 Brasilia
America/Manaus 马瑙斯 Manaus
Australia/Sydney 悉尼 Sydney, 堪培拉 Canberra, 新南威尔士 New South Wales, AEST, AEDT
Australia/Melbourne 墨尔本 Melbourne
Australia/Brisbane 布里斯班 Brisbane, 黄金海岸 Gold Coast, 凯恩斯 Cairns, 昆士兰 Queensland
Australia/Adelaide 阿德莱德 Adelaide
Australia/Perth 珀斯 Perth, 西澳 Western Australia
Australia/Darwin 达尔文 Darwin
Australia/Hobart 霍巴特 Hobart, 塔斯马尼亚 Tasmania
Pacific/Auckland 新西兰 New Zealand, 奥克兰 Auckland, 惠灵顿 Wellington, 基督城 Christchurch, 皇后镇 Queenstown
Pacific/Fiji 斐济 Fiji, 苏瓦 Suva
Pacific/Guam 关岛 Guam
Pacific/Port_Moresby 巴布亚新几内亚 Papua New Guinea, 莫尔兹比港 Port Moresby
Pacific/Tahiti 大溪地 Tahiti
UTC 世界标准时间 Coordinated Universal Time, UTC, GMT, 格林尼治 Greenwich, Greenwich Mean Time, 协调世界时, Z
"""
"""A zone, and the places in it: a Chinese name, an English one, or both of one place, and then the next.

A country of which nearly all has one time stands here, islands far out notwithstanding.
"""

STATES = """
America/Chicago AL Alabama, AR Arkansas, IL Illinois, IA Iowa, KS Kansas, LA Louisiana, MN Minnesota, MS Mississippi
America/Chicago MO Missouri, NE Nebraska, ND North Dakota, OK Oklahoma, SD South Dakota, TN Tennessee, TX Texas
America/Chicago WI Wisconsin
America/Anchorage AK Alaska
America/Phoenix AZ Arizona
America/Los_Angeles CA California, NV Nevada, OR Oregon, WA Washington
America/Denver CO Colorado, MT Montana, NM New Mexico, UT Utah, WY Wyoming
America/New_York CT Connecticut, DE Delaware, DC District of Columbia, FL Florida, GA Georgia, IN Indiana, KY Kentucky
America/New_York ME Maine, MD Maryland, MA Massachusetts, MI Michigan, NH New Hampshire, NJ New Jersey, NY New York
America/New_York NC North Carolina, OH Ohio, PA Pennsylvania, RI Rhode Island, SC South Carolina, VT Vermont
America/New_York VA Virginia, WV West Virginia
Pacific/Honolulu HI Hawaii
America/Boise ID Idaho
"""
"""The states of the US, each in the zone of most of it."""

SEVERAL = """
美国 United States, USA, US, America, United States of America: New York, Chicago, Denver, Los Angeles, Honolulu
加拿大 Canada: Toronto, Winnipeg, Calgary, Vancouver
墨西哥 Mexico: Mexico City, Cancun, Tijuana
巴西 Brazil: Sao Paulo, Brasilia, Manaus
俄罗斯 Russia: Moscow, Yekaterinburg, Novosibirsk, Vladivostok
澳大利亚 Australia, 澳洲: Sydney, Brisbane, Adelaide, Perth
印度尼西亚 Indonesia, 印尼: Jakarta, Bali, Asia/Jayapura
刚果 Congo: Africa/Kinshasa, Africa/Lubumbashi
欧洲 Europe, 欧盟 EU: London, Paris, Athens, Moscow
CST: Beijing, Chicago, Havana
IST: India, Israel, Ireland
BST: London, Bangladesh
MST: Denver, Phoenix
AST: Halifax, Riyadh
Georgia: Tbilisi, Atlanta
Birmingham: London, Chicago
Cambridge: London, Boston
"""
"""What has more than one time, and what to name instead."""


def folded(name: str) -> str:
    """Give a name as it is compared: letter case, accents, spaces and punctuation do not count."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum() or letter in "+-/")


class Place(NamedTuple):
    """A place, and the zone it is in."""

    names: tuple[str, ...]
    """A Chinese one, an English one, or one after the other."""
    zone: str


def _pairs(places: str) -> Iterator[tuple[str, ...]]:
    """Split the places of a row."""
    for place in places.split(", "):
        first, _, rest = place.partition(" ")
        yield (first, rest) if rest and is_chinese(first) else (place,)


def is_chinese(text: str) -> bool:
    """Tell whether there is a Chinese character in a text."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


@cache
def places() -> tuple[Place, ...]:
    """Give every place of the rows."""
    rows = (row.partition(" ") for row in ROWS.strip().splitlines())
    return tuple(Place(names, zone) for zone, _, listed in rows for names in _pairs(listed))


@cache
def by_name() -> Mapping[str, Place]:
    """Give each place by each of its folded names."""
    return {folded(name): place for place in places() for name in place.names}


@cache
def several() -> Mapping[str, tuple[str, ...]]:
    """Give what to name instead, by the folded name of what has more than one time."""
    rows = (row.partition(": ") for row in SEVERAL.strip().splitlines())
    return {
        folded(name): tuple(instead.split(", "))
        for listed, _, instead in rows
        for names in _pairs(listed)
        for name in names
    }


@cache
def states() -> Mapping[str, Place]:
    """Give the states of the US by their codes and by their folded names."""
    rows = (row.partition(" ") for row in STATES.strip().splitlines())
    found = {}
    for zone, _, listed in rows:
        for state in listed.split(", "):
            code, _, name = state.partition(" ")
            found[folded(code)] = found[folded(name)] = Place((name,), zone)
    return found


def parted_name(name: str) -> tuple[str, str] | None:
    """Part a Chinese name such as 浙江杭州 into what lies around and the place; None if it has no such parts."""
    for cut in range(len(name) - 2, 1, -1):
        around = folded(name[:cut].removesuffix("省").removesuffix("市"))
        if is_chinese(around) and (around in by_name() or around in several()):
            return name[:cut], name[cut:]
    return None
