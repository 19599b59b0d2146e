#include "atlas/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "tests/atlas/sample.hpp"

namespace nanoatlas::atlas {
namespace {

TEST(EscapeHtml, leaves_nothing_that_ends_text_or_attribute) {
    EXPECT_EQ(escape_html("<script>\"a\" & 'b'"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    EXPECT_EQ(escape_html("\xC3\xA4\xE2\x82\xAC"), "\xC3\xA4\xE2\x82\xAC");
}

TEST(EscapeHtml, replaces_what_is_no_utf8) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(escape_html("a\xFFz"), "a" + bad + "z");
    EXPECT_EQ(escape_html("\xC3"), bad);                                // cut off
    EXPECT_EQ(escape_html("\xC0\xAF"), bad + bad);                      // overlong
    EXPECT_EQ(escape_html("\xED\xA0\x80"), bad + bad + bad);            // surrogate
    EXPECT_EQ(escape_html("\xF4\x90\x80\x80"), bad + bad + bad + bad);  // above U+10FFFF
    EXPECT_EQ(escape_html(std::string_view("a\0b", 3)), "a" + bad + "b");
}

TEST(QuoteScript, is_json_and_ends_no_script) {
    for (const auto& name : testing::hostile_names) {
        const auto quoted = quote_script(name);
        EXPECT_EQ(nlohmann::json::parse(quoted).get<std::string>(), name);
        EXPECT_EQ(quoted.find('<'), std::string::npos);
    }
    EXPECT_EQ(quote_script("\xE2\x80\xA8"), "\"\\u2028\"");
}

TEST(QuoteScript, takes_any_bytes) {
    base::Random random(5);
    for (int draw = 0; draw < 500; ++draw) {
        std::string text;
        for (auto left = random.below(12); left > 0; --left)
            text += static_cast<char>(random.below(256));
        EXPECT_NO_THROW(nlohmann::json::parse(quote_script(text)));
    }
}

TEST(Base64, agrees_with_rfc_4648) {
    const auto encode = [](std::string_view text) {
        return base64(std::as_bytes(std::span(text)));
    };
    EXPECT_EQ(encode(""), "");
    EXPECT_EQ(encode("f"), "Zg==");
    EXPECT_EQ(encode("fo"), "Zm8=");
    EXPECT_EQ(encode("foo"), "Zm9v");
    EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
}

TEST(Figures, read_well) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1234567), "1,234,567");
    EXPECT_EQ(count_text(-1234), "-1,234");
    EXPECT_EQ(si_text(1.25e-8, "m"), "12.5 nm");
    EXPECT_EQ(si_text(1e-6, "m"), "1 µm");
    EXPECT_EQ(si_text(NAN, "m"), "unknown");
    EXPECT_EQ(si_text(0, "m"), "0 m");
    EXPECT_EQ(number_text(INFINITY), "–");
    EXPECT_EQ(percent_text(1, 8), "12.5 %");
    EXPECT_EQ(percent_text(0, 0), "–");
}

}  // namespace
}  // namespace nanoatlas::atlas
