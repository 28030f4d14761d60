"""A page of another site, in the browser of somebody who may act: it changes nothing, and reads nothing."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser.conftest import Shop
from tests.browser.live_server import LiveServer

#: Another port of this machine: to a browser another origin, but the same site, so that cookies are sent along.
EVIL = "http://127.0.0.1:9/evil"
#: All that a page can have a browser send; what came of it, by its name.
ATTACKS = """async ({url, id}) => {
    const found = {};
    const settled = (name, promise) => promise.then((it) => (found[name] = it), () => (found[name] = "refused"));
    const act = `${url}/api/v1/jobs/delete`, read = `${url}/api/v1/jobs/show?id=${id}`;
    const body = JSON.stringify({id});
    const json = {"content-type": "application/json"};
    const image = (src) => new Promise((well, ill) => {
        Object.assign(new Image(), {src, onload: () => well("shown"), onerror: ill});
    });
    const post = (more) => fetch(act, {method: "POST", body, credentials: "include", ...more});
    await settled("fetch", post());
    await settled("json", post({headers: json}));
    await settled("own header", post({headers: {...json, "x-flows": "1"}}));
    await settled("opaque", post({mode: "no-cors"}).then((answer) => answer.type));
    await settled("read", fetch(read, {credentials: "include"}));
    await settled("image", image(read));
    await settled("script", new Promise((well, ill) => {
        const script = document.createElement("script");
        document.head.append(Object.assign(script, {src: read, onload: () => well("loaded"), onerror: ill}));
    }));
    await settled("socket", new Promise((well, ill) => {
        const socket = new WebSocket(`${url.replace("http", "ws")}/live`, ["flows.live.1"]);
        Object.assign(socket, {onopen: () => well("open"), onerror: ill});
    }));
    const frame = Object.assign(document.createElement("iframe"), {src: url, name: "framed"});
    document.body.append(frame);
    await new Promise((done) => (frame.onload = done));
    const form = Object.assign(document.createElement("form"), {action: act, method: "POST", target: "there"});
    form.enctype = "text/plain";
    form.append(Object.assign(document.createElement("input"), {name: `{"id": "${id}", "x": "`, value: `"}`}));
    document.body.append(Object.assign(document.createElement("iframe"), {name: "there"}), form);
    form.submit();
    await new Promise((done) => setTimeout(done, 500));
    return found;
}"""


def test_a_page_of_another_site_does_nothing(
    browser: Browser, shop: Shop, closed: LiveServer, tokens: dict[str, str]
) -> None:
    """By a form, a fetch, an image, a script, a frame or a socket; with a cookie, and where nobody needs one."""
    job_id = shop.ids["delayed"]
    for server in (shop.server, closed):
        context = browser.new_context()
        if server is closed:
            cookie = server.cookie(tokens["ana"])
            context.add_cookies([{"name": "flows", "value": cookie, "url": server.url}])
        page = context.new_page()
        page.route(EVIL, lambda route: route.fulfill(body="<html><body></body></html>", content_type="text/html"))
        page.goto(EVIL)
        found = page.evaluate(ATTACKS, {"url": server.url, "id": job_id})
        assert set(found.values()) == {"refused"}, found
        framed = page.frame("framed")
        assert framed is not None
        assert "flows" not in framed.content().replace(server.url, "")
        context.close()
    assert shop.ask("jobs.show", id=job_id)["state"] == "delayed"
