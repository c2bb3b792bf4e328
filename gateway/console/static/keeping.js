// Keeps what a vote must not lose in the browser's database: each thing written once and never changed, and on the disk
// before anybody relies on it.

const STORE = "votes";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("quanyutong", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// The things of one delegate in one poll.
export async function keeperOf(voter, poll) {
  const database = await opened();
  const place = (name) => `${voter} ${poll} ${name}`;
  const done = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result ?? null);
      request.onerror = () => reject(request.error);
    });
  return {
    read: (name) => done(database.transaction(STORE).objectStore(STORE).get(place(name))),
    keep: (name, content) =>
      new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
        const store = transaction.objectStore(STORE);
        const there = store.get(place(name));
        there.onsuccess = () => there.result === undefined && store.add(content, place(name));
        transaction.oncomplete = () => resolve(there.result ?? content);
        transaction.onerror = () => reject(transaction.error);
        transaction.onabort = () => reject(transaction.error);
      }),
  };
}
