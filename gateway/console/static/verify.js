// The page that checks a board: from the platform or from a file, with the receipt that this browser keeps or another one.

import { verify } from "./board.js";
import { said, say } from "./findings.js";
import { keeperOf } from "./keeping.js";
import { kindOf } from "./poll-terms.js";

const page = document.getElementById("verify");
const progress = document.getElementById("progress");
const verdict = document.getElementById("verdict");
const found = document.getElementById("found");
const textOf = async (input) => (input.files.length ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await input.files[0].arrayBuffer()) : null);

function line(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function ownReceipt(text) {
  const given = await textOf(document.getElementById("own"));
  if (given !== null) return given;
  let terms;
  try {
    ({ terms } = JSON.parse(text));
    const keeper = await keeperOf(page.dataset.voter, `${terms.district} ${terms.poll}`);
    const kept = await keeper.read("receipt");
    return kept && new TextDecoder().decode(kept);
  } catch {
    return null; // what cannot be read is found below, in words
  }
}

async function check(load) {
  verdict.replaceChildren();
  found.replaceChildren();
  progress.hidden = false;
  page.dataset.verdict = "";
  try {
    const text = await load();
    const report = await verify(text, await ownReceipt(text), (share) => (progress.value = share));
    show(report);
  } catch (fault) {
    verdict.replaceChildren(line("p", say(`无法验证：${fault.message}`, `It cannot be checked: ${fault.message}`), "error"));
    page.dataset.verdict = "unreadable";
  }
  progress.hidden = true;
}

function show(report) {
  if (report.found.length) {
    verdict.append(line("p", say("不符：公示不可信。", "False: the board does not hold."), "error"));
    for (const each of report.found) verdict.append(line("p", said(each), "error"));
    page.dataset.verdict = "false";
  } else {
    verdict.append(line("p", say("通过：选票、签名、根哈希与结果全部相符。", "Everything holds: papers, ballots, signatures, tree and result."), "good"));
    page.dataset.verdict = "true";
  }
  const { board, result, own } = report;
  if (!board) return;
  found.append(line("p", say(`应到 ${board.terms.electorate}，到会 ${board.present}，发出 ${board.papers}，收回 ${board.ballots.length}`, `entitled ${board.terms.electorate}, present ${board.present}, papers ${board.papers}, ballots ${board.ballots.length}`)));
  found.append(line("p", say("根哈希（请与他人核对）：", "Root (compare it with others): ")), line("code", board.root.match(/.{4}/g).join(" ")));
  if (own) {
    found.append(line("h2", say(`您的选票是第 ${own} 张`, `Yours is ballot ${own}`)));
    board.terms.questions.forEach((question, at) => {
      const chosen = question.options.filter((_, place) => report.ownMarks?.[at]?.[place]);
      found.append(line("p", `${question.title}: ${chosen.map((option) => option.title).join("，") || say("空白", "blank")}`));
    });
  }
  result?.questions.forEach((question, at) => {
    const { title, options } = board.terms.questions[at];
    found.append(line("h2", title));
    const list = document.createElement("ul");
    question.options.forEach((option, place) => {
      const words = kindOf(board.terms.questions[at]).words.map((word) => `${word} ${option.votes[word]}`).join(", ") || `${option.votes.scored} / ${option.votes.points}`;
      list.append(line("li", `${options[place].title}: ${words} ${option.outcome ?? ""}`));
    });
    found.append(list);
  });
}

for (const button of document.querySelectorAll(".check-box")) {
  button.disabled = false; // it works from now on
  button.addEventListener("click", () =>
    check(async () => {
      const answer = await fetch(button.dataset.board, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await answer.arrayBuffer());
    }),
  );
}
// The same file may have been changed since.
document.getElementById("file").addEventListener("click", (event) => (event.target.value = ""));
document.getElementById("file").addEventListener("change", (event) => event.target.files.length && check(() => textOf(event.target)));
