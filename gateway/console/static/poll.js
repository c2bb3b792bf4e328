// The turnout of a poll while it runs: numbers, and nothing else.
const section = document.getElementById("turnout");
const source = new EventSource(section.dataset.live);

source.onmessage = (event) => {
  const turnout = JSON.parse(event.data);
  for (const name of ["electorate", "papers", "ballots"]) {
    document.getElementById(`now-${name}`).textContent = turnout[name];
  }
  document.getElementById("state").textContent = turnout.state;
  const bar = document.getElementById("bar");
  bar.max = turnout.electorate || 1;
  bar.value = turnout.ballots;
  if (turnout.over) {
    source.close();
    location.reload();
  }
};
source.addEventListener("refused", () => source.close());
