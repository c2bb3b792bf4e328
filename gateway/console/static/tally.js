// Counts marks and judges counts by the rules in the poll's terms: exact, and the same in any order of the ballots.

import { isOverFull, kindOf } from "./poll-terms.js";

// What the board says its result is, counted again. `ballots`: for each, the marks of each question.
export function tally(terms, present, papers, ballots) {
  const turnout = { electorate: terms.electorate, present, papers, ballots: ballots.length, void: ballots.length > papers };
  const questions = terms.questions.map((question, at) => judge(question, count(question, ballots.map((marks) => marks[at])), turnout));
  return { turnout, questions };
}

function count(question, ballots) {
  const valid = ballots.filter((marks) => !isOverFull(question, marks));
  const blank = valid.filter((marks) => !marks.some(Boolean)).length;
  const marks = question.options.map(() => new Map());
  for (const ballot of valid) {
    ballot.forEach((mark, at) => {
      if (mark) marks[at].set(mark, (marks[at].get(mark) ?? 0) + 1);
    });
  }
  return { received: ballots.length, invalid: ballots.length - valid.length, valid: valid.length, blank, marks };
}

function judge(question, counted, turnout) {
  const options = question.options.map((option, at) => ({ id: option.id, votes: votes(question, counted.marks[at], counted.valid) }));
  const { received, valid, invalid, blank } = counted;
  const result = { id: question.id, kind: question.kind, received, valid, invalid, blank, options };
  if (turnout.void) return result;
  const wholes = { all_members: turnout.electorate, present: turnout.present, valid };
  const needed = (share, base) => (base in wholes ? reaching(share, wholes[base]) : 1);
  const { rule } = question;
  switch (question.kind) {
    case "select":
      return selected(result, rule, needed(rule.majority, rule.majority_base));
    case "scores":
      options.forEach((option, at) => Object.assign(option, averaged(rule, counted.marks[at])));
      return result;
    case "grades":
      for (const option of options) option.outcome = graded(rule, option.votes, needed);
      return result;
    default:
      for (const option of options) {
        const fewest = rule.majority_base === "none" ? option.votes.against + 1 : needed(rule.majority, rule.majority_base);
        option.outcome = option.votes.for >= fewest ? "passed" : "rejected";
      }
      return result;
  }
}

// The fewest votes that reach the share of a whole; never 0, so of nobody nothing is reached.
function reaching(share, whole) {
  const [above, below] = share.fraction.split("/").map(BigInt);
  const times = above * BigInt(whole);
  const fewest = share.counts === "more_than" ? times / below + 1n : (times + below - 1n) / below;
  return Math.max(Number(fewest), 1);
}

// Votes in the rule's words. An option that is left unmarked is an abstention on it.
function votes(question, marks, valid) {
  const { rule } = question;
  const marked = [...marks.values()].reduce((sum, times) => sum + times, 0);
  let found;
  if (question.kind === "scores") {
    const points = [...marks].reduce((sum, [mark, times]) => sum + (mark - 1 + rule.score_lowest) * times, 0);
    found = { scored: marked, points };
  } else {
    found = Object.fromEntries(kindOf(question).words.map((word, at) => [word, marks.get(at + 1) ?? 0]));
  }
  if (question.kind !== "select") found.abstain = (found.abstain ?? 0) + valid - marked;
  return found;
}

// Most votes first. An option without a vote is never adopted, so no tie at nothing fills the places.
function selected(result, rule, needed) {
  const reached = result.options.filter((option) => option.votes.chosen >= needed);
  let [adopted, tied] = places(reached, rule.places);
  if (rule.tie_at_last_place === "include_all") [adopted, tied] = [[...adopted, ...tied], []];
  for (const option of result.options) {
    option.outcome = adopted.includes(option) ? "adopted" : tied.includes(option) ? "tied" : "not_adopted";
  }
  return { ...result, places_left: Math.max(rule.places - adopted.length, 0) };
}

// Who surely has a place, and who ties for the last ones where more tie than there are.
function places(reached, number) {
  if (reached.length <= number) return [reached, []];
  const last = reached.map((option) => option.votes.chosen).sort((one, other) => other - one)[number - 1];
  const above = reached.filter((option) => option.votes.chosen > last);
  const level = reached.filter((option) => option.votes.chosen === last);
  return above.length + level.length === number ? [[...above, ...level], []] : [above, level];
}

// The mean of the scores given; none where a trimmed mean leaves no score, or nobody gave one.
function averaged(rule, marks) {
  const scores = [...marks].sort(([one], [other]) => one - other).flatMap(([mark, times]) => Array(times).fill(mark));
  const trimmed = rule.score_average === "trimmed_mean" ? rule.scores_trimmed : 0;
  const kept = scores.slice(trimmed, Math.max(scores.length - trimmed, 0));
  if (!kept.length) return { outcome: "not_scored" };
  const sum = kept.reduce((total, mark) => total + mark - 1 + rule.score_lowest, 0);
  const shared = divisor(sum, kept.length);
  return { outcome: "scored", average: `${sum / shared}/${kept.length / shared}` };
}

function divisor(one, other) {
  return other ? divisor(other, one % other) : one;
}

function graded(rule, given, needed) {
  if (given.satisfied >= needed(rule.satisfied, rule.grade_base)) return "satisfied";
  const content = given.satisfied + given.basically_satisfied;
  return content >= needed(rule.basically_satisfied, rule.grade_base) ? "basically_satisfied" : "dissatisfied";
}
