import { generateKeyPairSync, createPublicKey } from 'node:crypto';
import { LoomError } from '@loom/service';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { publicKeys, settings } from '../src/config.ts';
import { tenantToken } from '../src/ids.ts';
import { tokenVerifier } from '../src/identity/tokens.ts';
import { hmacToken, issuer, issuerName, party, unsignedToken } from './support/issuer.ts';

const signer = issuer();
const next = issuer();
const rules = { keys: [signer.pem], authorizedParties: [party, 'https://loom.test'], issuer: issuerName };
const verify = tokenVerifier(rules);
const now = Math.floor(Date.now() / 1_000);
const claims = { sub: 'user_ann', sid: 'sess_1', azp: party, iss: issuerName, iat: now, nbf: now, exp: now + 60 };
const [head = '', load = '', mac = ''] = signer.token().split('.');
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreignJwk = createPublicKey(foreign.privateKey).export({ format: 'jwk' });

const refusals: Readonly<Record<string, string>> = {
  'no algorithm': unsignedToken(claims),
  'no algorithm and a signature': `${unsignedToken(claims)}${mac}`,
  'HS256 signed with the public key': hmacToken(claims, signer.pem),
  'HS256 signed with the public key, trimmed': hmacToken(claims, signer.pem.trim()),
  'another key': signer.token({}, {}, foreign.privateKey),
  'another key and its own jwk': signer.token({}, { jwk: foreignJwk }, foreign.privateKey),
  'another key and a kid of ours': signer.token({}, { kid: 'ins_local' }, foreign.privateKey),
  'a jku': signer.token({}, { jku: 'https://evil.test/jwks' }, foreign.privateKey),
  'a jku, signed by our key': signer.token({}, { jku: 'https://evil.test/jwks' }),
  'an x5u': signer.token({}, { x5u: 'https://evil.test/cert' }, foreign.privateKey),
  'a critical extension': signer.token({}, { crit: ['exp'] }),
  'RS512 in the header': signer.token({}, { alg: 'RS512' }),
  'another type': signer.token({}, { typ: 'at+jwt' }),
  'a machine token category': signer.token({}, { cat: 'cl_B7d4PD333AAA' }),
  'a changed payload': `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: 'user_bob' })).toString('base64url')}.${mac}`,
  'a cut signature': `${head}.${load}.${mac.slice(0, -2)}`,
  'no signature': `${head}.${load}.`,
  'two parts': `${head}.${load}`,
  'four parts': `${head}.${load}.${mac}.${mac}`,
  'bad base64': `${head}.%%%.${mac}`,
  padding: `${head}=.${load}.${mac}`,
  'a header that is no JSON': `e30e.${load}.${mac}`,
  'a header that is null': `${Buffer.from('null').toString('base64url')}.${load}.${mac}`,
  nothing: '',
  '64 KiB': `${head}.${'A'.repeat(65_536)}.${mac}`,
  'expired beyond the skew': signer.token({ exp: now - 6 }),
  'no expiry': signer.token({ exp: undefined }),
  'an expiry in words': signer.token({ exp: 'never' }),
  'not valid yet': signer.token({ nbf: now + 60 }),
  'issued in the future': signer.token({ iat: now + 60 }),
  'another issuer': signer.token({ iss: 'https://clerk.other.test' }),
  'no issuer': signer.token({ iss: undefined }),
  'no authorized party': signer.token({ azp: undefined }),
  'another authorized party': signer.token({ azp: 'https://evil.test' }),
  'a list of authorized parties': signer.token({ azp: [party] }),
  'an empty authorized party': signer.token({ azp: '' }),
  'no subject': signer.token({ sub: undefined }),
  'a subject that is no string': signer.token({ sub: 7 }),
  'no session': signer.token({ sid: undefined }),
  'a session still pending': signer.token({ sts: 'pending' }),
  'an organisation that is no string': signer.token({ org_id: { $ne: '' } }),
  'two organisations': signer.token({ org_id: 'org_a', o: { id: 'org_b' } }),
};

for (const [what, token] of Object.entries(refusals)) {
  test(`a token with ${what} is refused`, async () => {
    const outcome = await verify(token).catch((cause: unknown) => cause);
    assert.instance(outcome, LoomError);
    assert.is((outcome as LoomError).code, 'unauthenticated');
  });
}

test('a good token says who calls: the person, the session, and the tenant of the organisation or the person', async () => {
  const alone = await verify(signer.token());
  assert.equal(alone, { person: 'user_ann', session: 'sess_1', tenant: tenantToken('user_ann') });
  assert.match(alone.tenant, /^t[0-9a-hjkmnp-tv-z]{20}$/);
  assert.is((await verify(signer.token({ org_id: 'org_a' }))).tenant, tenantToken('org_a'));
  assert.is((await verify(signer.token({ v: 2, o: { id: 'org_a', rol: 'admin' } }))).tenant, tenantToken('org_a'));
  const atOnce = tokenVerifier(rules, () => now * 1_000);
  const over = signer.token({ iat: now - 60, nbf: now - 60, exp: now - 2 });
  assert.is((await atOnce(over)).person, 'user_ann', 'clocks may differ by some seconds');
});

test('tokens are judged by the clock that is given, whatever the clock of this machine says', async () => {
  const hour = 3_600;
  for (const off of [-hour, hour]) {
    const elsewhere = tokenVerifier(rules, () => Date.now() + off * 1_000);
    const there = { iat: now + off, nbf: now + off, exp: now + off + 60 };
    assert.is((await elsewhere(signer.token(there))).person, 'user_ann');
    const stale = { iat: there.iat - 120, nbf: there.nbf - 120, exp: there.iat - 60 };
    const early = { iat: there.iat + 60, nbf: there.nbf + 60, exp: there.exp + 60 };
    for (const times of [stale, early, {}])
      assert.instance(await elsewhere(signer.token(times)).catch((cause: unknown) => cause), LoomError);
  }
});

test('while keys rotate both are taken, afterwards the new one alone', async () => {
  const during = tokenVerifier({ ...rules, keys: [next.pem, signer.pem] });
  assert.is((await during(signer.token())).person, 'user_ann');
  assert.is((await during(next.token())).person, 'user_ann');
  const after = await tokenVerifier({ ...rules, keys: [next.pem] })(signer.token()).catch((cause: unknown) => cause);
  assert.instance(after, LoomError);
});

test('a public key that cannot work stops the start, not the first request', () => {
  assert.throws(() => publicKeys(signer.pem.replaceAll('\n', '\\n')), /line breaks/);
  assert.throws(() => publicKeys(signer.pem.split('\n').slice(1, -2).join('\n')), /header and trailer/);
  assert.throws(() => publicKeys('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'), /RSA public key/);
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' });
  assert.throws(() => publicKeys(String(small)), /2048/);
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
  assert.throws(() => publicKeys(String(curve)), /RSA/);
  assert.is(publicKeys(`${signer.pem}${next.pem}`).length, 2);
  const clerk = `pk_live_${Buffer.from('clerk.loom.test$').toString('base64')}`;
  assert.equal(settings.clerk.parse(clerk), { key: clerk, host: issuerName });
  assert.throws(() => settings.authorizedParties.parse('a,,b'));
});

test.run();
