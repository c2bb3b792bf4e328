// What can be wrong with a board or a receipt, in the page's language.

const TEXTS = {
  UNREADABLE: ["文件无法读取：{detail}。", "The file cannot be read: {detail}."],
  BALLOT_MALFORMED: ["选票格式不正确：{detail}。", "A ballot is malformed: {detail}."],
  BALLOT_OF_OTHER_POLL: ["选票属于另一次表决，或表决事项已被改动。", "A ballot is of another poll, or of other terms."],
  PAPER_NOT_SIGNED: ["选票不是本次表决发出的。", "A ballot's paper was not issued in this poll."],
  BALLOT_NOT_SIGNED: ["选票内容与其签名不符。", "A ballot is not what the holder of its paper signed."],
  KEY_TWICE: ["同一张选票出现两次。", "One paper has two ballots."],
  OUT_OF_ORDER: ["选票未按公钥排序。", "The ballots are not in the order of their keys."],
  ROOT_DIFFERS: ["根哈希与选票不符，应为 {detail}。", "The root is not that of these ballots, which is {detail}."],
  ROOT_NOT_SIGNED: ["根哈希或票数与公示签名不符。", "The root or the numbers are not what the board's key signed."],
  MORE_BALLOTS_THAN_PAPERS: ["收回的选票多于发出的选票：{detail}。投票无效。", "More ballots than papers: {detail}. The vote is void."],
  MORE_PAPERS_THAN_ELECTORATE: ["发出的选票多于应到代表：{detail}。", "More papers than delegates entitled to vote: {detail}."],
  MORE_PRESENT_THAN_ELECTORATE: ["到会人数多于应到代表：{detail}。", "More are present than are entitled to vote: {detail}."],
  TALLY_DIFFERS: ["公布的结果与重新计票不符：{detail}。", "The result is not what counting again gives: {detail}."],
  RECEIPT_OF_OTHER_POLL: ["回执属于另一次表决，或表决事项已被改动。", "The receipt is of another poll, or of other terms."],
  RECEIPT_NOT_SIGNED: ["回执不是票箱签发的。", "The receipt was not given by the ballot box."],
  RECEIPT_NOT_ON_BOARD: [
    "公示中没有回执所对应的选票；票箱签发的回执是其已收到该选票的证明。",
    "The receipt's ballot is not on the board. The signed receipt proves that the box took it.",
  ],
};

export const english = document.documentElement.lang === "en";
export const say = (zh, en) => (english ? en : zh);

export function said({ finding, detail = "", ballot, others = 0 }) {
  const place = ballot ? say(`第 ${ballot} 张：`, `Ballot ${ballot}: `) : "";
  const more = others ? say(`（另有 ${others} 张）`, ` (${others} more like it)`) : "";
  return place + say(...TEXTS[finding]).replace("{detail}", detail) + more;
}
