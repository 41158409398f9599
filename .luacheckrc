-- Scripts run on Lua 5.1 with goto, as gopher-lua speaks it, and should not need more than all Luas have.
std = "min"
read_globals = { "unpack" }
max_line_length = 140
self = false -- a method that overrides another one may not need its self

exclude_files = {
  "**/testdata/**", -- broken on purpose: what the host says about them is what is tested
}

-- Descriptions for editors: functions without a body, in tables nobody reads.
files["luaapi/meta"] = { ignore = { "11.", "21.", "24.", "631" } }

-- imapfilter's own configurations are global by nature.
files["**/imapfilter/**"] = { allow_defined_top = true, ignore = { "11." } }
