import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { authority, issue } from "../../local/cluster/certificate.ts";
import { bits, integer, oid, time, tlv } from "../../local/cluster/der.ts";

describe("an encoded value", () => {
  it.each([
    ["a short length", tlv(4, Buffer.alloc(3)).subarray(0, 2), "0403"],
    ["a length of one byte more", tlv(4, Buffer.alloc(200)).subarray(0, 3), "0481c8"],
    ["a length of two bytes", tlv(4, Buffer.alloc(300)).subarray(0, 4), "0482012c"],
    ["a number whose first bit is set stays positive", integer(Buffer.from([0x80])), "02020080"],
    ["a number", integer(Buffer.from([0x7f])), "02017f"],
    ["an object identifier with a large part", oid("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
    ["bits, with those that do not count", bits(Buffer.from([0x06]), 1), "03020106"],
  ])("%s", (_, encoded, hex) => {
    expect(encoded.toString("hex")).toBe(hex);
  });

  it("holds a moment to the second", () => {
    expect(time(new Date("2026-11-21T01:02:03.456Z")).subarray(2).toString()).toBe("261121010203Z");
  });
});

describe("a certificate of the cluster", () => {
  const ca = authority("throw-away", 10);
  const issued = issue(ca, {
    subject: { name: "system:node:golive", group: "system:nodes" },
    hosts: ["golive", "10.213.2.1"],
    validDays: 10,
  });
  const certificate = new X509Certificate(issued.certificate);

  it("is signed by its authority, which signed itself", () => {
    const root = new X509Certificate(ca.certificate);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.ca).toBe(true);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.checkIssued(root)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it("says who it speaks for, and where it answers", () => {
    expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:golive");
    expect(certificate.subjectAltName).toBe("DNS:golive, IP Address:10.213.2.1");
    expect(certificate.checkIP("10.213.2.1")).toBe("10.213.2.1");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]);
  });

  it("fits its key, holds now, and never shares its number with another", () => {
    expect(certificate.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now() + 9 * 86_400_000);
    const numbers = Array.from({ length: 20 }, () => {
      return new X509Certificate(issue(ca, { subject: { name: "x" }, validDays: 1 }).certificate).serialNumber;
    });
    expect(new Set(numbers).size).toBe(20);
  });
});
