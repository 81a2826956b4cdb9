/** Says what of a value is not as promised, each fault with its path. */
export type Shape = (value: unknown, path: string) => readonly string[]

/** An object with these fields, perhaps with the optional ones, and with no others. */
export function exactly(
  fields: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  const shapes = new Map(Object.entries({ ...fields, ...optional }))
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is not an object`]
    return [
      ...Object.keys(fields).flatMap((name) => (name in value ? [] : [`${path}.${name} is missing`])),
      ...Object.entries(value).flatMap(([name, field]) => {
        const shape = shapes.get(name)
        return shape ? shape(field, `${path}.${name}`) : [`${path}.${name} is promised by nobody`]
      }),
    ]
  }
}

/** A list whose items all have a shape. */
export function list(shape: Shape): Shape {
  return (value, path) =>
    Array.isArray(value) ? value.flatMap((item, index) => shape(item, `${path}[${index}]`)) : [`${path} is not a list`]
}

/** A string that matches. */
export function like(pattern: RegExp): Shape {
  return (value, path) =>
    typeof value === 'string' && pattern.test(value) ? [] : [`${path} is not like ${pattern}: ${JSON.stringify(value)}`]
}

/** This very value, compared as JSON. */
export function constant(expected: unknown): Shape {
  const text = JSON.stringify(expected)
  return (value, path) =>
    JSON.stringify(value) === text ? [] : [`${path} is not ${text}, but ${JSON.stringify(value)}`]
}

export const text = like(/^/)
export const flag: Shape = (value, path) => (typeof value === 'boolean' ? [] : [`${path} is not true or false`])
export const number: Shape = (value, path) =>
  typeof value === 'number' && value >= 0 ? [] : [`${path} is not a number from 0`]
