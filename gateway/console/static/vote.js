// The page on which a delegate votes. Keys are made here; what leaves the browser is a blinded message, and a ballot
// without a name.

import { base64, fromBase64, readJson } from "./bytes.js";
import { say } from "./findings.js";
import { keeperOf } from "./keeping.js";
import { Terms, isOverFull, kindOf } from "./poll-terms.js";
import { Voter } from "./voter.js";

const page = document.getElementById("vote");
const place = page.dataset;
const take = document.getElementById("take");
const form = document.getElementById("ballot");

const TEXTS = {
  ALREADY_VOTED: ["已经投票，内容不能更改。", "This vote has been made, and says something else."],
  BLIND_SIGNATURE_REFUSED: ["平台的签名无效，请告知工作人员。", "The platform's signature is not valid: tell the staff."],
  RECEIPT_REFUSED: ["票箱的回执无效，请重新提交，并告知监票人。", "The box gave no receipt for this ballot: send it again, and tell the scrutineers."],
};

class Refused extends Error {}

function report(text, bad = false) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.className = text ? (bad ? "error" : "good") : "";
}

async function send(address, body, options) {
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body: JSON.stringify(body), redirect: "error", ...options });
  } catch {
    throw new Refused(say("没有收到回答，请再试一次；重试不会重复领票或投票。", "There was no answer: try again. Nobody gets two papers or two votes by that."));
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(content.error || say(`请求被拒绝（${answer.status}）。`, `The request was refused (${answer.status}).`));
  return content;
}

const desk = async (blinded) => {
  const headers = { "content-type": "application/json", "x-csrf": place.csrf };
  return fromBase64((await send(place.paper, { blinded: base64(blinded) }, { headers })).blind_signature, "blind_signature");
};

// Without a cookie: nothing in this call says who makes it.
const box = async (ballot) => {
  const options = { credentials: "omit", headers: { "content-type": "application/json" }, referrerPolicy: "no-referrer" };
  return fromBase64((await send(place.cast, { box: place.box, ballot: base64(ballot) }, options)).signature, "signature");
};

async function trying(button, step) {
  button.disabled = true;
  report("");
  try {
    await step();
  } catch (fault) {
    report(fault instanceof Refused ? fault.message : say(...(TEXTS[fault.message] ?? [`出错：${fault.message}`, `Fault: ${fault.message}`])), true);
    button.disabled = false;
  }
}

function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...content);
  return made;
}

const WORDS = {
  satisfied: ["满意", "satisfied"],
  basically_satisfied: ["基本满意", "basically satisfied"],
  dissatisfied: ["不满意", "dissatisfied"],
  for: ["赞成", "for"],
  against: ["反对", "against"],
  abstain: ["弃权", "abstain"],
};

function control(question, option) {
  const name = `${question.id}:${option.id}`;
  if (question.kind === "select") {
    return element("label", { class: "option" }, element("input", { type: "checkbox", name, value: "1" }), element("span", {}, option.title));
  }
  const { rule } = question;
  const words = question.kind === "scores" ? Array.from({ length: kindOf(question).highest(rule) }, (_, at) => String(at + rule.score_lowest)) : kindOf(question).words.map((word) => say(...WORDS[word]));
  const select = element("select", { name, "aria-label": option.title }, element("option", { value: "0" }, say("空白", "blank")));
  words.forEach((word, at) => select.append(element("option", { value: String(at + 1) }, word)));
  return element("label", { class: "option" }, element("span", {}, option.title), select);
}

function draw(terms) {
  for (const question of terms.questions) {
    const hint = question.kind === "select" ? say(`最多选 ${question.rule.places} 项`, `up to ${question.rule.places}`) : "";
    form.append(element("fieldset", {}, element("legend", {}, `${question.title} ${hint}`), ...question.options.map((option) => control(question, option))));
  }
  form.append(element("button", { type: "submit", id: "cast" }, say("投出选票", "Cast the ballot")));
  form.hidden = false;
}

const marksIn = (terms) =>
  terms.questions.map((question) =>
    Uint8Array.from(question.options, (option) => {
      const control = form.elements[`${question.id}:${option.id}`];
      return control.type === "checkbox" ? Number(control.checked) : Number(control.value);
    }),
  );

function showReceipt(receipt) {
  const text = new TextDecoder().decode(receipt);
  form.hidden = true;
  document.getElementById("receipt").textContent = say("票箱已收到您的选票，签名的回执已保存在本机。选票指纹：", "The box has your ballot, and its signed receipt is kept here. The ballot's hash: ") + JSON.parse(text).leaf;
  const download = document.getElementById("download");
  download.href = `data:application/json,${encodeURIComponent(text)}`;
  document.getElementById("after").hidden = false;
}

async function start() {
  if (!window.isSecureContext || !crypto.subtle) throw new Refused(say("请通过 https 打开本页。", "Open this page by https."));
  const terms = await Terms.read(readJson(place.terms, undefined));
  const voter = await Voter.begin(terms, await keeperOf(place.voter, `${terms.district} ${terms.poll}`));

  const taken = () => {
    take.disabled = true;
    take.textContent = say("已领票", "The paper is here");
    draw(terms);
  };
  const receipt = await voter.receipt();
  if (await voter.paperSignature()) taken();
  else take.disabled = false;
  if (receipt) showReceipt(receipt);
  else if (await voter.ballot()) {
    report(say("选票已填好，正在重新提交。", "The ballot was made: it is sent again."));
    form.hidden = true;
    showReceipt(await voter.castAgain(box));
    report("");
  }
  take.addEventListener("click", () => trying(take, async () => {
    await voter.take(desk);
    taken();
    report(say("已领票。", "You have the paper."));
  }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const marks = marksIn(terms);
    const over = terms.questions.filter((question, at) => isOverFull(question, marks[at]));
    if (over.length) {
      report(say(`选得过多：${over[0].title}。`, `Too many are marked: ${over[0].title}.`), true);
      return;
    }
    trying(document.getElementById("cast"), async () => {
      showReceipt(await voter.cast(marks, box));
      report(say("已投票。", "You have voted."));
    });
  });
  page.dataset.ready = "yes";
}

start().catch((fault) => report(fault.message, true));
