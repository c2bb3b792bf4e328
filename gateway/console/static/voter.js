// A delegate's side of a vote: everything random follows from one secret, which is kept before anything is sent.
//
//     secret kept -> paper taken and kept -> ballot kept, then cast -> receipt kept
//
// Whatever was cut, the bytes that are sent again are the same.

import { base64, canonical, fields, hex, utf8 } from "./bytes.js";
import * as blindrsa from "./blindrsa.js";
import { content, encoded, leafHash, prepared, receiptMessage, verifyEd25519 } from "./poll-terms.js";

// An Ed25519 seed in PKCS #8 (RFC 8410, section 7) has these bytes before it.
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

export async function derive(secret, terms) {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const expand = async (purpose, length) => {
    const info = fields("quanyutong.derive.v1", purpose, terms.district, terms.poll, terms.digest);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info }, base, length * 8));
  };
  const seed = await expand("key", 32);
  const pair = await crypto.subtle.importKey("pkcs8", Uint8Array.of(...PKCS8, ...seed), "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", pair);
  const publicKey = Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  return {
    key: pair,
    publicKey,
    prefix: await expand("prefix", blindrsa.PREFIX_BYTES),
    salt: await expand("salt", blindrsa.SALT_BYTES),
    factor: await expand("factor", terms.paperKey.bytes + 16),
  };
}

export class Voter {
  // `keep(name, bytes)` writes unless something is there, and returns what is there; `read(name)` returns it, or null.
  static async begin(terms, keeper) {
    const voter = new Voter();
    voter.terms = terms;
    voter.keeper = keeper;
    const secret = await keeper.keep("secret", crypto.getRandomValues(new Uint8Array(32)));
    voter.derived = await derive(secret, terms);
    voter.prepared = prepared(terms, voter.derived.publicKey, voter.derived.prefix);
    return voter;
  }

  paperSignature() {
    return this.keeper.read("paper");
  }

  receipt() {
    return this.keeper.read("receipt");
  }

  ballot() {
    return this.keeper.read("ballot");
  }

  // `desk` sends the blinded message and returns the blind signature. After a lost answer, call again.
  async take(desk) {
    if (await this.paperSignature()) return;
    const { derived, terms } = this;
    const { message, inverse } = await blindrsa.blind(terms.paperKey, this.prepared, derived.salt, derived.factor);
    const signature = await blindrsa.finalize(terms.paperKey, this.prepared, await desk(message), inverse);
    if (!signature) throw new Error("BLIND_SIGNATURE_REFUSED");
    await this.keeper.keep("paper", signature);
  }

  // `box` sends the ballot and returns the receipt's signature. `marks`: for each question one byte for each option.
  async cast(marks, box) {
    const { derived, terms } = this;
    const paper = { publicKey: derived.publicKey, prefix: derived.prefix, signature: await this.paperSignature() };
    const signed = content(terms, paper, marks);
    const made = encoded(signed, new Uint8Array(await crypto.subtle.sign("Ed25519", derived.key, signed)));
    const kept = await this.keeper.keep("ballot", made);
    if (hex(kept) !== hex(made)) throw new Error("ALREADY_VOTED");
    return this.castAgain(box);
  }

  async castAgain(box) {
    const ballot = await this.ballot();
    const { terms } = this;
    const leaf = await leafHash(ballot);
    const signature = await box(ballot);
    if (!(await verifyEd25519(terms.boardKey, signature, receiptMessage(terms, leaf)))) throw new Error("RECEIPT_REFUSED");
    const receipt = canonical({
      format: "quanyutong.receipt.v1",
      district: terms.district,
      poll: terms.poll,
      terms: hex(terms.digest),
      leaf: hex(leaf),
      signature: base64(signature),
    });
    return this.keeper.keep("receipt", utf8(receipt));
  }
}
