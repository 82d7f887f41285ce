// How the rules of the house are kept by a machine.
//
// Two of them are Splicelist's own, beside the strict rules for typed code: the floors of lib/, each
// of which imports only from those below it, and the ban on byte copies outside lib/audit, whose
// ledger counts them.
import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import ts from 'typescript'

/** The floors of lib/, from the ground up. Names on one line stand on the same floor. */
const floors = [
  ['errors', 'contract', 'arguments', 'errno', 'eventually', 'abort'],
  ['native'],
  ['reactor'],
  ['audit'],
  ['raw'],
  ['list', 'capabilities'],
  ['encoding', 'memory'],
  ['endpoints'],
  ['transfer'],
  ['streams', 'bl', 'chai'],
  ['clients'],
  ['index'],
  ['doctor'],
]

/** For every floor a rule that refuses imports from the floors above it. */
const floorRules = floors.flatMap((floor, height) => {
  const above = floors.slice(height + 1).flat()
  const name = floor.join(', ')
  const target = `(?:${above.join('|')})(?:/.*|\\.js)$`
  const below = floors.slice(0, height).flat().join(', ') || 'nothing else'
  const message = `The floors of lib/: ${name} may import from ${below}.`
  const refuse = (steps) => [
    'error',
    {
      patterns: [
        ...(above.length > 0 ? [{ regex: `^${steps}${target}`, message }] : []),
        {
          regex: '^(?:#|splicelist(?:/|$)|(?:\\./|\\.\\./)*(?:dist|out)/)',
          message: 'Inside lib/ import by relative path, so that the floors can be seen.',
        },
      ],
    },
  ]
  return [
    {
      files: floor.map((part) => `lib/${part}.ts`),
      rules: { 'no-restricted-imports': refuse('\\./') },
    },
    {
      files: floor.map((part) => `lib/${part}/**/*.ts`),
      rules: { 'no-restricted-imports': refuse('(?:\\.\\./)+') },
    },
  ]
})

/** Calls that copy bytes: on what kind of object, and what to do instead. */
const copyingMethods = new Map([
  ['copy', 'copies out of a Buffer'],
  ['copyWithin', 'copies inside a Buffer'],
  ['set', 'copies into a Buffer'],
  ['slice', 'copies a Uint8Array (use subarray, which shares)'],
  ['write', 'encodes into a Buffer'],
])
const copyingStatics = new Map([
  ['concat', 'copies every part'],
  ['copyBytesFrom', 'copies'],
  ['from', 'copies strings, arrays and views (an ArrayBuffer is shared)'],
])

/** Refuses every byte copy that the ledger would not see. Needs types. */
const noUncountedCopy = {
  meta: {
    type: 'problem',
    docs: { description: 'bytes are copied by lib/audit alone, where each copy has a cause' },
    messages: {
      copy: '`{{call}}` {{does}}. Only lib/audit copies bytes: call its copy(cause, …).',
    },
    schema: [],
  },
  create(context) {
    const services = context.sourceCode.parserServices
    const checker = services.program.getTypeChecker()

    /** Whether a type is, or extends, or may be one of the named classes. */
    const isA = (type, names) => {
      if (type.isUnionOrIntersection()) return type.types.some((part) => isA(part, names))
      if (names.includes(type.getSymbol()?.getName())) return true
      const constraint = checker.getBaseConstraintOfType(type)
      if (constraint !== undefined && constraint !== type) return isA(constraint, names)
      return type.isClassOrInterface()
        ? checker.getBaseTypes(type).some((base) => isA(base, names))
        : false
    }
    const typeOf = (node) => services.getTypeAtLocation(node)
    const isShared = (node) => isA(typeOf(node), ['ArrayBuffer', 'SharedArrayBuffer'])
    const isByteClass = (node) =>
      node.type === 'Identifier' && (node.name === 'Buffer' || node.name === 'Uint8Array')
    // Of Buffer.prototype the types say nothing.
    const isPrototype = (node) => node.property?.name === 'prototype' && isByteClass(node.object)
    const isBytes = (node) => isPrototype(node) || isA(typeOf(node), ['Buffer', 'Uint8Array'])
    const isNumber = (node) => (typeOf(node).flags & ts.TypeFlags.NumberLike) !== 0
    const report = (node, call, does) => {
      context.report({ node, messageId: 'copy', data: { call, does } })
    }

    return {
      // However it is called then: by `.call`, or under another name.
      MemberExpression(node) {
        const { object } = node
        const name = node.computed ? node.property.value : node.property.name
        if (copyingMethods.has(name) && isBytes(object)) {
          report(node, `.${name}`, copyingMethods.get(name))
        } else if (name === 'slice' && isShared(object)) {
          report(node, '.slice', 'copies an ArrayBuffer')
        } else if (/^encode(Into)?$/.test(name) && isA(typeOf(object), ['TextEncoder'])) {
          report(node, `.${name}`, 'encodes a string')
        }
      },
      CallExpression(node) {
        const { callee } = node
        const [first] = node.arguments
        if (callee.name === 'structuredClone' && node.arguments.length === 1) {
          report(node, callee.name, 'copies (what it is told to transfer moves)')
        }
        if (callee.type !== 'MemberExpression') return
        const name = callee.computed ? callee.property.value : callee.property.name
        if (isByteClass(callee.object) && copyingStatics.has(name)) {
          if (name === 'from' && first !== undefined && isShared(first)) return
          report(node, `${callee.object.name}.${name}`, copyingStatics.get(name))
        } else if (name === 'fill' && isBytes(callee.object) && first && !isNumber(first)) {
          report(node, '.fill', 'copies what it fills with')
        }
      },
      NewExpression(node) {
        const [first] = node.arguments
        if (!isByteClass(node.callee) || first === undefined || isShared(first)) return
        if (isNumber(first)) return
        report(node, `new ${node.callee.name}`, 'copies views, lists and arrays')
      },
    }
  },
}

export default defineConfig(
  { ignores: ['build/', 'dist/', 'docs/', 'node_modules/', 'out/', 'prebuilds/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { splicelist: { rules: { 'no-uncounted-copy': noUncountedCopy } } },
    rules: {
      eqeqeq: ['error', 'smart'],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A number in a template is what an error message is made of.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `process.env['NAME']` shows that nobody promised it.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // Its advice is the `!` that no-non-null-assertion refuses.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `for (;;)` is how a retry loop says that it ends from inside.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'splicelist/no-uncounted-copy': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportExpression',
          message: 'Inside lib/ import at the top, so that the floors can be seen.',
        },
      ],
    },
  },
  { files: ['lib/audit/**/*.ts'], rules: { 'splicelist/no-uncounted-copy': 'off' } },
  floorRules,
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // `expect(x).to.be.true` is an expression statement by chai's design.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      // What was thrown is a class by the test's own claim, checked by the lines after it.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'no-console': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['Buffer', 'console', 'process', 'setTimeout', 'URL'].map((name) => [name, 'readonly']),
      ),
    },
  },
)
