-- Reads jobs that wait in groups: no queue has any, where none of the flow has rules.
--@ exports: page_of

-- Returns part of a source of this kind; `page` reads one of any other kind.
local function page_of(_, page) return page() end
