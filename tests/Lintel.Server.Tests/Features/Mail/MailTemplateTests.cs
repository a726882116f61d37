namespace Lintel.Features.Mail;

public sealed class MailTemplateTests
{
    [Fact]
    public void A_line_whose_field_has_no_value_is_left_out()
    {
        var template = new MailTemplate("t", "Subject: s\nbefore\nDue: {{due}}\nafter\n", "<p>before</p>\n<p>{{due}}</p>\n");

        Assert.Equal("before\r\nafter\r\n", template.Render(Fields(("due", null))).Text);
        Assert.Equal("<p>before</p>\r\n", template.Render(Fields(("due", ""))).Html);
        Assert.Equal("before\r\nDue: now\r\nafter\r\n", template.Render(Fields(("due", "now"))).Text);
    }

    [Fact]
    public void A_value_is_never_read_as_a_template()
    {
        var template = new MailTemplate("t", "Subject: {{a}}\n{{a}} {{b}}\n", "{{a}}");
        var text = template.Render(Fields(("a", "{{b}}"), ("b", "secret")));

        Assert.Equal("{{b}} secret\r\n", text.Text);
        Assert.DoesNotContain("secret", text.Subject + text.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<img src=x onerror=alert(1)>")]
    [InlineData("\" onmouseover=\"alert(1)")]
    [InlineData("' onmouseover='alert(1)")]
    [InlineData("</p><!-- & -->")]
    public void A_value_is_text_in_html(string value)
    {
        var html = new MailTemplate("t", "Subject: s\n", "<p title=\"{{v}}\" class='{{v}}'>{{v}}</p>").Render(Fields(("v", value))).Html;
        var document = System.Xml.Linq.XElement.Parse(html.Replace("<br>", "<br/>", StringComparison.Ordinal));

        Assert.Empty(document.Elements());
        Assert.Equal((value, value, value), (document.Value, document.Attribute("title")!.Value, document.Attribute("class")!.Value));
    }

    [Theory]
    [InlineData("a\r\nBcc: x@example.com", "a  Bcc: x@example.com")]
    [InlineData("a\rb\nc\0d\u0085e\u2028f\u2029g\u001bh", "a b c d e f g h")]
    [InlineData("  a\t ", "a")]
    [InlineData("=?utf-8?q?a=0d=0aBcc:_x@example.com?=", "= ?utf-8?q?a=0d=0aBcc:_x@example.com?=")]
    [InlineData("==?\0=\0?=?", "== ? = ?= ?")]
    public void A_subject_is_one_line(string value, string expected) =>
        Assert.Equal(expected, new MailTemplate("t", "Subject: {{v}}\n", "").Render(Fields(("v", value))).Subject);

    [Theory]
    [InlineData(200, 200)]
    [InlineData(201, 200)]
    [InlineData(5000, 200)]
    public void A_long_subject_is_shortened(int length, int expected)
    {
        var subject = new MailTemplate("t", "Subject: {{v}}\n", "").Render(Fields(("v", new string('a', length)))).Subject;

        Assert.Equal(expected, subject.Length);
    }

    [Fact]
    public void A_letter_of_two_parts_is_not_cut_through()
    {
        var subject = new MailTemplate("t", "Subject: {{v}}\n", "").Render(Fields(("v", "a" + string.Concat(Enumerable.Repeat("🏗", 200))))).Subject;

        Assert.False(char.IsHighSurrogate(subject[^2]));
        Assert.EndsWith("…", subject, StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_that_nobody_gives_is_a_mistake_in_the_program() =>
        Assert.Throws<KeyNotFoundException>(() => new MailTemplate("t", "Subject: {{typo}}\n", "").Render(Fields()));

    private static Dictionary<string, string?> Fields(params (string Name, string? Value)[] fields) =>
        fields.ToDictionary(static field => field.Name, static field => field.Value, StringComparer.Ordinal);
}
