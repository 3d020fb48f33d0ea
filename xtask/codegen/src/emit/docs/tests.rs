use super::lines;

fn page(comment: &str) -> String {
    lines(comment).join("\n")
}

#[test]
fn what_looks_like_links_tags_and_addresses_stays_text() {
    let cases = [
        (" A list [of things] and <tags>.", "A list \\[of things\\] and \\<tags>."),
        (" See [Topic][google.pubsub.v1.Topic].", "See `Topic`."),
        (" See [`Topic`][google.pubsub.v1.Topic].", "See `Topic`."),
        (" See [this](https://example.com/a_b).", "See [this](https://example.com/a_b)."),
        (" See [this](other.md).", "See `this`."),
        (" See https://example.com/a?b=c.", "See <https://example.com/a?b=c>."),
        (" See (http://example.com).", "See (<http://example.com>)."),
        (" `Vec<[u8]>` stays, a ` alone does not.", "`Vec<[u8]>` stays, a \\` alone does not."),
        (" ``a ` b`` stays.", "``a ` b`` stays."),
        (" > quoted", "\\> quoted"),
        (" \\<escaped\\> already", "\\<escaped\\> already"),
        (" [^1]: a note", "\\[^1\\]: a note"),
        ("\u{202e}turned\u{7}", "turned"),
    ];
    for (comment, expected) in cases {
        assert_eq!(page(comment), expected, "{comment}");
    }
}

#[test]
fn indented_text_becomes_a_block_that_is_no_test() {
    let comment = " Use it so:\n\n     let a = 1;\n\n     let b = 2;\n\n Then stop.";
    let expected = "Use it so:\n\n```text\nlet a = 1;\n\nlet b = 2;\n```\n\nThen stop.";
    assert_eq!(page(comment), expected);
}

#[test]
fn fenced_blocks_are_closed_and_are_no_tests() {
    assert_eq!(page(" ```\n let a = [1];\n ```\n End."), "```text\nlet a = [1];\n```\nEnd.");
    assert_eq!(page(" ~~~rust\n let a;"), "```text\nlet a;\n```");
    assert_eq!(page(" ```proto\n message M {}\n ```"), "```proto\nmessage M {}\n```");
}

#[test]
fn lines_of_list_items_stand_below_their_text() {
    let comment =
        " Either:\n - one that is\n long,\n     - nested and\n       long,\n - two.\n\n After.";
    let expected = "Either:\n- one that is\n  long,\n  - nested and\n    long,\n- two.\n\nAfter.";
    assert_eq!(page(comment), expected);
    assert_eq!(page(" 1. a\n b\n 10) c\n d"), "1. a\n   b\n10) c\n    d");
}

#[test]
fn empty_comments_are_none() {
    assert!(lines("").is_empty());
    assert!(lines("  \n\n ").is_empty());
}
