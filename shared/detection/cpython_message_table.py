"""The messages of CPython's own syntax errors, one a line, by class.

They are those that the compilers of CPython 3.7 to 3.13 raised for the sources in their own test suites and in ours,
each looked up in the texts of the interpreters' files; `test_cpython_messages.py` does it again.
"""

EXPRESSIONS = frozenset(
    ("True", "False", "None", "Ellipsis", "ellipsis", "attribute", "subscript", "starred", "name", "list", "tuple",
     "lambda", "function call", "expression", "f-string expression", "generator expression", "yield expression",
     "await expression", "list comprehension", "dict comprehension", "set comprehension", "dict literal",
     "dict display", "set display", "literal", "comparison", "conditional expression", "named expression",
     "assignment expression", "operator", "keyword", "__debug__", "constant", "template string",
     "t-string expression", "slice")
)  # fmt: skip
"""How CPython names the kinds of expressions in its messages."""

SYNTAX_MESSAGES = """\
invalid syntax
invalid syntax. Perhaps you forgot a comma?
invalid syntax. Maybe you meant '==' or ':=' instead of '='?
invalid syntax. Did you mean '{name}'?
invalid token
invalid character '{char}' (U+{name})
invalid character in identifier
invalid non-printable character U+{name}
invalid decimal literal
invalid binary literal
invalid octal literal
invalid hexadecimal literal
invalid {name} literal
invalid digit '{char}' in binary literal
invalid digit '{char}' in octal literal
invalid escape sequence '{name}'
leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers
imaginary number required in complex literal
real number required in complex literal
'{char}' was never closed
unmatched '{char}'
closing parenthesis '{char}' does not match opening parenthesis '{char}'
closing parenthesis '{char}' does not match opening parenthesis '{char}' on line {number}
too many nested parentheses
too many nested f-strings
too many statically nested blocks
unexpected EOF while parsing
unexpected EOF in multi-line statement
unexpected character after line continuation character
EOL while scanning string literal
EOF while scanning triple-quoted string literal
unterminated string literal (detected at line {number})
unterminated string literal (detected at line {number}); perhaps you escaped the end quote?
unterminated triple-quoted string literal (detected at line {number})
unterminated f-string literal (detected at line {number})
unterminated triple-quoted f-string literal (detected at line {number})
unterminated t-string literal (detected at line {number})
unterminated triple-quoted t-string literal (detected at line {number})
f-string: invalid syntax
f-string: {syntax}
t-string: {syntax}
f-string: expression part cannot include '#'
f-string expression part cannot include '#'
f-string expression part cannot include a backslash
f-string: empty expression not allowed
f-string: expecting '}'
f-string: expecting '}', or format specs
f-string: expecting ':' or '}'
f-string: expecting '!', or ':', or '}'
f-string: expecting '=', or '!', or ':', or '}'
f-string: expecting a valid expression after '{'
f-string: expression required before '{char}'
f-string: valid expression required before '{char}'
f-string: expressions nested too deeply
f-string: invalid conversion character
f-string: invalid conversion character: expected 's', 'r', or 'a'
f-string: invalid conversion character {any}: expected 's', 'r', or 'a'
f-string: missing conversion character
f-string: conversion type must come right after the exclamanation mark
f-string: lambda expressions are not allowed without parentheses
f-string: mismatched '(', '{', or '['
f-string: single '}' is not allowed
f-string: unterminated string
f-string: unexpected end of string
f-string: too many nested parenthesis
(unicode error) {any}
(value error) {any}
bytes can only contain ASCII literal characters
bytes can only contain ASCII literal characters.
cannot mix bytes and nonbytes literals
source code cannot contain null bytes
source code string cannot contain null bytes
encoding problem: {name}
encoding problem: {name} with BOM
unknown encoding: {name}
'{name}' codec can't decode {any}
'{name}' codec can't encode {any}
'{name}' is not a text encoding; {any}
Exceeds the limit ({any}) for integer string conversion{any}
Non-UTF-8 code starting with '{name}' in file {any} on line {number}, but no encoding declared; see {name} for details
Non-UTF-8 code starting with '{name}' on line {number}, but no encoding declared; see {name} for details
expected ':'
expected '{name}'
expected 'else' after 'if' expression
expected 'except' or 'finally' block
expected argument value expression
expected comma between / and *
expected default value expression
expected one or more exception types
'{char}' expected after dictionary key
'in' expected after for-loop variables
expression expected after dictionary key and ':'
Expected one or more names after 'import'
Did you mean to use 'from ... import ...' instead?
did you forget parentheses around the comprehension target?
expression cannot contain assignment, perhaps you meant "=="?
Missing parentheses in call to 'exec'
Missing parentheses in call to '{name}'. Did you mean {any}?
Generator expression must be parenthesized
'not' after an operator must be parenthesized
multiple exception types must be parenthesized
multiple exception types must be parenthesized when using 'as'
Function parameters cannot be parenthesized
Lambda expression parameters cannot be parenthesized
trailing comma not allowed without surrounding parentheses
Invalid star expression
'{any}' is an illegal expression for augmented assignment
illegal expression for augmented assignment
illegal target for annotation
only single target (not {name}) can be annotated
cannot assign to {expression}
cannot assign to {expression} here. Maybe you meant '==' instead of '='?
cannot delete {expression}
can't assign to {expression}
can't delete {expression}
can't use starred expression here
cannot use starred expression here
cannot use double starred expression here
cannot use assignment expressions with {expression}
cannot use '_' as a target
cannot use bound with ParamSpec
cannot use bound with TypeVarTuple
cannot use constraints with ParamSpec
cannot use constraints with TypeVarTuple
cannot have both 'except' and 'except*' on the same 'try'
cannot use except* with literal
'break', 'continue' and 'return' cannot appear in an except* block
assignment to keyword
assignment to yield expression not possible
lambda cannot contain assignment
keyword can't be an expression
keyword argument repeated
keyword argument repeated: {name}
positional argument follows keyword argument
positional argument follows keyword argument unpacking
iterable argument unpacking follows keyword argument unpacking
iterable unpacking cannot be used in comprehension
dict unpacking cannot be used in dict comprehension
multiple starred expressions in assignment
two starred expressions in assignment
starred assignment target must be in a list or tuple
too many expressions in star-unpacking assignment
too many expressions in star-unpacking sequence pattern
non-default argument follows default argument
parameter without a default follows parameter with a default
non-default type parameter '{name}' follows default type parameter
named arguments must follow bare *
bare * has associated type comment
* argument may appear only once
/ may appear only once
/ must be ahead of *
at least one argument must precede /
arguments cannot follow var-keyword argument
var-positional argument cannot have default value
var-keyword argument cannot have default value
duplicate argument '{name}' in function definition
duplicate type parameter '{name}'
default 'except:' must be last
'break' outside loop
'continue' not properly in loop
'continue' not supported inside 'finally' clause
'return' outside function
'return' with value in async generator
'yield' outside function
'yield from' outside function
'yield from' inside async function
'yield' inside dict comprehension
'yield' inside generator expression
'yield' inside list comprehension
'yield' inside set comprehension
'await' outside function
'await' outside async function
'async for' outside async function
'async with' outside async function
asynchronous comprehension outside of an asynchronous function
'elif' block follows an 'else' block
import * only allowed at module level
from __future__ imports must occur at the beginning of the file
future feature {name} is not defined
not a chance
nonlocal declaration not allowed at module level
nonlocal binding not allowed for type parameter '{name}'
no binding for nonlocal '{name}' found
name '{name}' is assigned to before global declaration
name '{name}' is assigned to before nonlocal declaration
name '{name}' is used prior to global declaration
name '{name}' is used prior to nonlocal declaration
name '{name}' is nonlocal and global
name '{name}' is parameter and global
name '{name}' is parameter and nonlocal
annotated name '{name}' can't be global
annotated name '{name}' can't be nonlocal
assignment expression cannot be used in a comprehension iterable expression
assignment expression cannot rebind comprehension iteration variable '{name}'
assignment expression within a comprehension cannot be used in a class body
assignment expression within a comprehension cannot be used in a TypeVar bound
assignment expression within a comprehension cannot be used in a type alias
assignment expression within a comprehension cannot be used within the definition of a generic
comprehension inner loop cannot rebind assignment expression target '{name}'
Cannot use comprehension in annotation scope within class scope
Cannot use lambda in annotation scope within class scope
{expression} cannot be used within a TypeVar bound
{expression} cannot be used within a TypeVar default
{expression} cannot be used within a type alias
{expression} cannot be used within an annotation
'{expression}' can not be used within an annotation
{expression} cannot be used within the definition of a generic
alternative patterns bind different names
attribute name repeated in class pattern: {name}
mapping pattern checks duplicate key ({any})
mapping pattern keys may only match literals and attribute lookups
multiple assignments to name {any} in pattern
multiple starred names in sequence pattern
name capture {any} makes remaining patterns unreachable
patterns may only match literals and attribute lookups
positional patterns follow keyword patterns
wildcard makes remaining patterns unreachable"""
INDENTATION_MESSAGES = """\
unexpected indent
unexpected unindent
unindent does not match any outer indentation level
expected an indented block
expected an indented block after {block} on line {number}
too many levels of indentation"""
TAB_MESSAGES = "inconsistent use of tabs and spaces in indentation"
