// Runs the ledger's verifier as WebAssembly: node verify.mjs <path to musubi-proof-check.wasm>
import { readFile } from "node:fs/promises";

const module = await WebAssembly.compile(await readFile(process.argv[2]));
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
  throw new Error(`a pure verifier imports nothing, but it does: ${JSON.stringify(imports)}`);
}
const { exports } = await WebAssembly.instantiate(module);
const begun = performance.now();
const code = exports.main(0, 0);
if (code !== 0) {
  throw new Error(`the verifier ended with ${code}`);
}
console.log(`a proof verified in wasm32, without any import, in ${Math.round(performance.now() - begun)} ms with its alterations`);
