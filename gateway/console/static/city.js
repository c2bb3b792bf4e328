// The map and its table follow the city while the page is open.
const map = document.getElementById("map");
const source = new EventSource(map.dataset.live);

source.onmessage = (event) => {
  const { city, rows, time } = JSON.parse(event.data);
  document.getElementById("city-figure").textContent = city;
  document.getElementById("as-of").textContent = time;
  const body = document.querySelector("#districts tbody");
  for (const row of rows) {
    const outline = document.getElementById(`d${row.district}`);
    outline?.setAttribute("class", `level-${row.level}`);
    const title = outline?.querySelector("title");
    if (title) title.textContent = `${row.name}: ${row.text}`;
    const line = document.getElementById(`r${row.district}`);
    const cell = line?.querySelector("td");
    if (cell && cell.textContent !== row.text) {
      cell.textContent = row.text;
      cell.classList.remove("changed");
      void cell.offsetWidth;
      cell.classList.add("changed");
    }
    if (line) body.append(line);
  }
  map.dataset.updates = Number(map.dataset.updates ?? 0) + 1;
};
source.addEventListener("refused", (event) => {
  source.close();
  document.getElementById("as-of").textContent = JSON.parse(event.data);
});
